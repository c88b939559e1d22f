#!/bin/bash
# The demo: three models of the same shape trained by Tern on the same tokens (models/), one float, one ternary, one
# binary. What each costs on two texts it has not seen, what rounding its embedding changes, and how it writes. Tables go
# to the terminal, pages to out/demo/.
#   tools/demo.sh [PROGRAM]     PROGRAM: the built tern (default build/tern)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tern=${1:-build/tern}
out=out/demo
formats=F32,F16,Q8_0,Q6_K,Q5_0,Q4_0,Q3_K,I2_S
models=(models/tern-stories-{float-F16,ternary-TQ2_0,binary-Q1_0}.gguf)
texts=(data/eval/stories.txt data/eval/plain.txt)

if [[ ! -x $tern ]]; then
  echo "demo: $tern is not there; build it first (make)" >&2
  exit 1
fi

show() {
  printf '\n$ %s\n' "$*"
  "$@"
}
mkdir -p "$out"
started=$SECONDS
pages=()
for model in "${models[@]}"; do
  name=${model##*/}
  pages+=("$out/${name%.gguf}.html")
  show "$tern" sweep -m "$model" --embedding "$formats" --data "${texts[@]}" --report "${pages[-1]}" --force
done
for model in "${models[@]}"; do
  show "$tern" run -m "$model" -p "Once upon a time" -n 80 --temp 0
done
printf '\n\nDone in %d s. Pages to read: %s\n' $((SECONDS - started)) "${pages[*]}"
