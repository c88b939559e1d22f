#!/bin/bash
# Today's speed beside the committed baseline: random models of a real shape, with 2 bits and with 1 bit a weight. Percentages
# are of what this machine can do at most, measured in the same run, so that they may be compared between machines.
#   tools/bench.sh [PROGRAM]             PROGRAM: the built tern (default build/tern)
#   tools/bench.sh PROGRAM --renew       writes the baseline anew; on a quiet machine, please
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tern=${1:-build/tern}
renew=${2:-}
folder=out/bench
if (($# > 2)) || [[ -n $renew && $renew != --renew ]]; then
  echo "usage: tools/bench.sh [PROGRAM [--renew]]" >&2
  exit 2
fi
if [[ ! -x $tern ]]; then
  echo "bench: $tern is not there; build it first (make)" >&2
  exit 1
fi
mkdir -p "$folder"
for type in I2_S Q1_0; do
  model=$folder/bitnet-700m-$type.gguf
  baseline=bench/baseline/$type.json
  [[ -e $model ]] || "$tern" synth bitnet-700m "$model" --type "$type" --embedding Q6_K
  tests=(bench -m "$model" -p 128,512 -n 32 -t 1,2 -r 5)
  if [[ -n $renew ]]; then
    mkdir -p "${baseline%/*}"
    "$tern" "${tests[@]}" -o json > "$folder/new.json"
    mv "$folder/new.json" "$baseline"
    echo "$baseline renewed"
  else
    printf '\n%s bits a weight, against %s\n\n' "$([[ $type == Q1_0 ]] && echo 1 || echo 2)" "$baseline"
    "$tern" "${tests[@]}" --compare "$baseline"
  fi
done
