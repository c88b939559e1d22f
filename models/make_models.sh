#!/bin/bash
# Trains the tern-stories family anew: one tokenizer, one packed data set, three runs that differ in the quantisation and
# its learning rate alone, three GGUF files. 20 to 35 minutes a model on two cores; a run that was stopped goes on.
#   models/make_models.sh TERN TEXTS FOLDER     TEXTS: tinystories/ and books/, as models/README.md describes them
# The files land in FOLDER; nothing of this repository is changed. On another kind of processor OpenBLAS adds in another
# order, and the models come out a little different.
set -euo pipefail
if (($# != 3)); then
  echo "usage: models/make_models.sh TERN TEXTS FOLDER" >&2
  exit 2
fi
tern=$1 texts=$2 folder=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$folder"

[[ -e $folder/tokenizer ]] || "$tern" tokenizer train "$texts"/tinystories/tinystories-0*.txt "$texts/books/books-000.txt" \
  --vocab-size 2048 -o "$folder/tokenizer"
[[ -e $folder/data ]] || "$tern" data pack stories="$texts/tinystories/tinystories-0*.txt" books="$texts/books/books-0*.txt" \
  --valid stories="$texts/tinystories/tinystories-valid.txt" --valid books="$texts/books/books-valid.txt" \
  --tokenizer "$folder/tokenizer" -o "$folder/data"

# model KIND OUTTYPE [OPTION...]
model() {
  local kind=$1 type=$2
  shift 2
  if compgen -G "$folder/$kind/checkpoint-*" > /dev/null; then
    "$tern" train --resume --data "$folder/data" -o "$folder/$kind"
  else
    "$tern" train --recipe "$here/recipe.json" "$@" --data "$folder/data" -o "$folder/$kind"
  fi
  local table=(--embedding Q6_K)
  [[ $kind == float ]] && table=()
  "$tern" train export "$folder/$kind" -o "$folder/tern-stories-$kind-$type.gguf" --outtype "$type" "${table[@]}" \
    --model-name "tern-stories-$kind" --force
}

rounded=(--set quantization.activations=int8 --set optimizer.learning_rate=5e-3)
model float F16 --set optimizer.learning_rate=2e-3
model ternary TQ2_0 --set quantization.weights=absmean "${rounded[@]}"
model binary Q1_0 --set quantization.weights=sign "${rounded[@]}"
