#!/bin/bash
# Trains the two models of make_models.py (PyTorch and transformers, in the data folder) once more, with Tern: the same shape,
# tokenizer, texts, mixture, recipe and number of tokens. Prints the held-out loss of both beside that script's own.
#   bench/peers/train_twins.sh TERN DATA FOLDER     DATA: the folder with train/ and models/; FOLDER: where the runs live
# Two runs side by side, a thread each: about 35 minutes on two quiet cores. A run that was stopped goes on.
set -euo pipefail
if (($# != 3)); then
  echo "usage: bench/peers/train_twins.sh TERN DATA FOLDER" >&2
  exit 2
fi
tern=$1 data=$2 folder=$3
mkdir -p "$folder"

[[ -e $folder/data ]] || "$tern" data pack stories="$data/train/tinystories/tinystories-0*.txt" books="$data/train/books/books-00[0-3].txt" \
  --valid stories="$data/train/tinystories/tinystories-valid.txt" --valid books="$data/train/books/books-valid.txt" \
  --tokenizer "$data/models/reference-float" -o "$folder/data"

# twin NAME PRESET [OPTION...]
twin() {
  local name=$1 preset=$2
  shift 2
  if compgen -G "$folder/$name/checkpoint-*" > /dev/null; then
    "$tern" train --resume --data "$folder/data" -o "$folder/$name" -t 1
  else
    "$tern" train --preset "$preset" --data "$folder/data" -o "$folder/$name" -t 1 "$@" \
      --set 'data.mixture={"stories": 0.6, "books": 0.4}' --set data.order=windows --set data.context=256 \
      --set optimizer.batch=32 --set optimizer.tokens=8994816 --set run.sample_every=0 --set run.validate_every=300
  fi
}

twin float llama > "$folder/float.out" 2>&1 &
# Two lines that meet at half-way: second_peak is where the first stage ends.
twin ternary bitnet-b1.58 --set schedule.second_peak=0.5 > "$folder/ternary.out" 2>&1 &
wait -n && wait -n || { tail -n 3 "$folder"/*.out >&2; exit 1; }

python3 - "$folder" "$data" <<'PYTHON'
import json, pathlib, sys
folder, data = map(pathlib.Path, sys.argv[1:])
for name, reference in (("float", "reference-float"), ("ternary", "reference-bitnet")):
    steps = [json.loads(line) for line in (folder / name / "log.jsonl").read_text().splitlines()]
    ours = [s["validation"] for s in steps if "validation" in s][-1]
    theirs = json.loads((data / "models" / reference / "training.json").read_text())["valid_nats_per_token"]
    for source in ("stories", "books"):
        nats = ours[source]["nats_per_token"]
        print(f"{name:8} {source:8} Tern {nats:.4f}  PyTorch {theirs[source]:.4f}  ratio {nats / theirs[source]:.4f}")
PYTHON
