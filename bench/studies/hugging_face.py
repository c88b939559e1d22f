"""What the studies have in common: a Hugging Face model and the tokens of a text, in pieces of a context."""

import argparse
import pathlib

from transformers import AutoModelForCausalLM, AutoTokenizer


def model_and_pieces():
    """Of the command line: MODEL_FOLDER TEXT [--tokens 2048] [--context 256]."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--context", type=int, default=256)
    options = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype="auto")
    text = options.text.read_text().replace("<|endoftext|>", "")
    ids = tokenizer(text[: 16 * options.tokens], return_tensors="pt").input_ids[0, : options.tokens]
    return model, ids.split(options.context)
