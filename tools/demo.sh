#!/bin/bash
# The demo: converts the two reference models, sweeps their embedding over eight formats on five real texts, and lets one
# of them write. Tables go to the terminal, pages to out/demo/. Says what is missing and does what it can without it.
#   tools/demo.sh [PROGRAM]     PROGRAM: the built tern (default build/tern); data: TERN_DATA or ../shared/data
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tern=${1:-build/tern}
data=${TERN_DATA:-../shared/data}
out=out/demo
# 50 chunks of 256 tokens a text, 127 scored tokens each: enough that the differences show, and minutes on two cores.
chunks=50
formats=F32,F16,Q8_0,Q6_K,Q5_0,Q4_0,Q3_K,I2_S
names=(reference-bitnet reference-float)
texts=(wiki.test.raw ptb.test.txt lambada_test.jsonl imdb_test_2000.jsonl agnews_test.csv)

if [[ ! -x $tern ]]; then
  echo "demo: $tern is not there; build it first (make)" >&2
  exit 1
fi
missing=()
for name in "${names[@]}"; do [[ -d $data/models/$name ]] || missing+=("$data/models/$name/"); done
for text in "${texts[@]}"; do [[ -f $data/eval/$text ]] || missing+=("$data/eval/$text"); done
if ((${#missing[@]})); then
  echo "The demo compares formats on trained models and real texts, which are not part of this repository."
  echo "Missing here:"
  printf '  %s\n' "${missing[@]}"
  echo "Put the data folder at ../shared/data or name it with TERN_DATA, then run the demo again."
  echo
  echo "Without it, this is what the program can show: the processor and a proof of every kernel."
  echo
  echo "\$ $tern doctor"
  "$tern" doctor
  exit 0
fi

show() {
  printf '\n$ %s\n' "$*"
  "$@"
}
mkdir -p "$out"
started=$SECONDS
echo "Models and texts: $data. Results: $out/. Each text: its first $chunks chunks."
for name in "${names[@]}"; do
  show "$tern" convert "$data/models/$name" --outfile "$out/$name.gguf" --force
done
for name in "${names[@]}"; do
  show "$tern" sweep -m "$out/$name.gguf" --embedding "$formats" --data "${texts[@]/#/$data/eval/}" --chunks "$chunks" \
    --report "$out/$name.html" --force
done
show "$tern" run -m "$out/reference-bitnet.gguf" -p "Once upon a time" -n 60 --temp 0
printf '\n\nDone in %d s. Pages to read: %s %s\n' $((SECONDS - started)) "$out/reference-bitnet.html" "$out/reference-float.html"
