#!/usr/bin/env python3
"""Trains tiny models with Tern, exports them as Hugging Face folders and GGUF, and compares both sides' logits.

Needs: pip install torch transformers accelerate numpy. Not run by the tests, which compare Tern's own two sides
(tests/e2e/train/): this is the third side. Usage: check_training.py TERN STORIES [WORK]
(TERN: the program; STORIES: data/eval/stories.txt of the tree; WORK: a folder for the files, else a temporary one).
Each config.json that transformers took, and computed the same logits from, goes to tests/golden/data/training_export; a
test compares what the program writes today with it.

Of float models every position must agree; of rounded ones the median, since an activation that sits on a rounding tie
takes one side here and the other there.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TORCHDYNAMO_DISABLE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import numpy as np
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

EXACT = 2e-5  # relative to the largest logit
TIES = 0.02
TERNARY = ["quantization.weights=absmean", "quantization.activations=int8"]
CASES = {
    "llama": [],
    "llama-untied": ["model.tie_word_embeddings=false"],
    "qwen2": ["model.architecture=qwen2"],
    "qwen3": ["model.architecture=qwen3"],
    "gemma3": ["model.architecture=gemma3", "model.sliding_window=8", "model.num_hidden_layers=7"],
    "bitnet-b1.58": ["model.architecture=bitnet-b1.58", *TERNARY],
    "llama-ternary": TERNARY,
    "qwen3-ternary": ["model.architecture=qwen3", *TERNARY],
}
RECORDS = Path(__file__).resolve().parent.parent / "data" / "training_export"
SPELLINGS = ["packed_multiply", "packed_divide", "masters"]


def logits(folder, ids):
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                                       output_loading_info=True)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        left = [k for k in info.get(key, ()) if not (k == "lm_head.weight" and model.config.tie_word_embeddings)]
        assert not left, (folder.name, key, left)
    with torch.no_grad():
        return model.eval()(torch.tensor([ids])).logits[0].numpy()


def main():
    tern, stories = sys.argv[1:3]
    work = Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp())

    def run(*words):
        done = subprocess.run([tern, *map(str, words)], capture_output=True, text=True)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    run("tokenizer", "train", stories, "--vocab-size", "384", "-o", work / "tokenizer")
    run("data", "pack", f"stories={stories}", "--tokenizer", work / "tokenizer", "-o", work / "data")
    text = Path(stories).read_text()[:400]
    bad = 0
    for name, settings in CASES.items():
        words = ["train", "--data", work / "data", "-o", work / name]
        for setting in ["model.hidden_size=128", "model.intermediate_size=256", "model.num_hidden_layers=2",
                        "model.num_key_value_heads=2", "data.context=64", "optimizer.batch=8", "optimizer.microbatch=4",
                        "optimizer.tokens=20480", "optimizer.learning_rate=4e-3", "schedule.warm_up=5",
                        "run.sample_every=0", *settings]:
            words += ["--set", setting]
        run(*words)
        run("train", "export", work / name, "-o", work / f"{name}.gguf", "--embedding", "F32")
        is_ternary = TERNARY[0] in settings
        for spelling in SPELLINGS if is_ternary else ["floats"]:
            folder = work / f"{name}--{spelling}"
            run("train", "export", work / name, "-o", folder, "--outtype", "hf",
                *(["--hf-weights", spelling] if is_ternary else []))
            tokenizer = AutoTokenizer.from_pretrained(folder)
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            same_ids = ids == json.loads(run("tokenize", "--tokenizer", folder, "-p", text, "--json"))["ids"]
            ids = ids[:60]
            (work / "ids.txt").write_text(" ".join(map(str, ids)) + "\n")
            run("logits", work / f"{name}.gguf", "-f", work / "ids.txt", "-o", work / "ours.npy", "--force")
            want = np.load(work / "ours.npy").reshape(len(ids), -1)
            got = logits(folder, ids)
            worst = np.abs(got - want).max(axis=-1) / np.abs(want).max(axis=-1)
            is_right = same_ids and np.median(worst) <= EXACT and worst.max() <= (TIES if is_ternary else EXACT)
            bad += not is_right
            if is_right:
                RECORDS.mkdir(exist_ok=True)
                (RECORDS / f"{folder.name}.json").write_text((folder / "config.json").read_text())
            print(json.dumps({"folder": folder.name, "median": float(f"{np.median(worst):.2e}"),
                              "worst": float(f"{worst.max():.2e}"), "same_ids": same_ids,
                              "greedy_equal": float((got.argmax(-1) == want.argmax(-1)).mean())}),
                  "" if is_right else "DIFFERS", flush=True)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    sys.exit(f"{bad} folders differ" if bad else 0)


main()
