#!/usr/bin/env python3
"""Loads the Hugging Face folders that Tern wrote in transformers and compares their logits with the originals'.

Needs: pip install torch transformers accelerate numpy. Not run by the tests: they compare with what it recorded.
Usage: TERN_EXPORT_KEEP=EXPORTED build/tests/tern_test_golden --gtest_filter='*Export*'     (EXPORTED: an empty folder)
       check_export.py EXPORTED DATA OUT_DIR     (DATA: the folder of golden/ and models/; OUT_DIR: golden/data/export)

EXPORTED holds NAME--SPELLING-DTYPE. The original's logits are DATA/{golden,models}/NAME/expected_logits.npy, or NAME.npy
of golden/data/architectures; of NAME-fp16-scales, a model that exists as exports alone, those of its packed_multiply
folder, whose scales are exact; of NAME-ternary, those of the float model with its linears replaced here. For each folder that computes the same, its config.json is copied to OUT_DIR: the tests
notice when Tern writes another. logits-VERSION.json there tells the differences.
"""
import json
import os
import shutil
import sys
from pathlib import Path

os.environ["TORCHDYNAMO_DISABLE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import numpy as np
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

EXACT = 2e-5  # relative to the largest logit; of float models all positions, of rounded ones the median position
TIES = 0.02   # where an activation sits on a rounding tie


def original(name, data, architectures):
    for made in ("-fp16-scales", "-ternary"):
        if name.endswith(made):
            return None, original(name.removesuffix(made), data, architectures)[1]
    for folder in (data / "golden" / name, data / "models" / name):
        if folder.is_dir():
            return np.load(folder / "expected_logits.npy"), json.loads((folder / "expected.json").read_text())["ids"]
    return np.load(architectures / f"{name}.npy"), json.loads((architectures / f"{name}.json").read_text())["ids"]


def ternary_logits(folder, ids):
    """Of a float folder, its blocks' linears made BitNet's with scales rounded to fp16, by torch alone."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    def rounded(module, args):
        s = 127 / args[0].abs().amax(-1, keepdim=True).clamp(min=1e-5)
        return ((args[0] * s).round().clamp(-128, 127) / s, *args[1:])

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name.endswith("proj"):
            w = module.weight.data
            scale = w.double().abs().mean().half().float()
            module.weight.data = (w / scale).round().clamp(-1, 1) * scale
            module.register_forward_pre_hook(rounded)
    with torch.no_grad():
        return model(torch.tensor(ids)).logits.numpy()


def logits(folder, ids, hidden=False):
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                                       output_loading_info=True)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        left = [k for k in info.get(key, ()) if not (k == "lm_head.weight" and model.config.tie_word_embeddings)]
        assert not left, (folder.name, key, left)
    # 16-bit tensors that a quantised class leaves as they are: the comparison is one of values, not of types.
    for tensor in [*model.parameters(), *model.buffers()]:
        if tensor.dtype in (torch.bfloat16, torch.float16):
            tensor.data = tensor.data.float()
    with torch.no_grad():
        model.eval()
        out = model.model(torch.tensor(ids)).last_hidden_state if hidden else model(torch.tensor(ids)).logits
        return out.numpy(), type(model.model.layers[0].self_attn.q_proj).__name__


def main():
    exported, data, out = (Path(a) for a in sys.argv[1:4])
    architectures = out.parent / "architectures"
    results, bad = {}, 0
    for folder in sorted(exported.iterdir()):
        name, spelling = folder.name.split("--")
        want, ids = original(name, data, architectures)
        if name.endswith("-ternary"):
            want = ternary_logits(exported / f"{name.removesuffix('-ternary')}--floats-F32", ids)
        elif want is None:
            want, _ = logits(exported / f"{name}--packed_multiply-F32", ids)
        got, linear = logits(folder, ids, "embedding" in name)  # whose vectors are the last hidden states
        worst = np.abs(got - want).max(axis=-1).ravel() / np.abs(want).max()
        rounded = linear != "Linear"
        n_tokens = None  # the tiny architectures' tokenizer is a test's, which the package does not read
        if not (architectures / f"{name.removesuffix('-ternary')}.json").exists():
            n_tokens = len(AutoTokenizer.from_pretrained(folder))
        is_right = np.median(worst) <= EXACT and worst.max() <= (TIES if rounded else EXACT)
        if "fp16-scales--masters-BF16" in folder.name:  # scales are a part in a thousand off there, and said to be
            is_right = worst.max() <= TIES
        results[folder.name] = {"linear": linear, "median": float(f"{np.median(worst):.2e}"),
                                "worst": float(f"{worst.max():.2e}"), "greedy_equal": bool(
                                    (got.argmax(-1) == want.argmax(-1)).all()), "tokens": n_tokens}
        print(folder.name, results[folder.name], "" if is_right else "DIFFERS", flush=True)
        if is_right:
            shutil.copy(folder / "config.json", out / f"{folder.name}.json")
        bad += not is_right
    about = {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0],
             "differences": "of logits at a position, largest, relative to the largest logit: median and worst position"}
    (out / f"logits-{transformers.__version__}.json").write_text(json.dumps({**about, "folders": results}, indent=1) + "\n")
    sys.exit(f"{bad} folders differ" if bad else 0)


main()
