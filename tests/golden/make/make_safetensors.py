#!/usr/bin/env python3
"""Makes tests/golden/data/safetensors: files and folders written by the PyPI package `safetensors`, and expected.json.

Usage: make_safetensors.py OUTPUT_FOLDER        (needs: pip install safetensors torch)

For floating-point tensors expected.json holds the values as float32, converted by torch.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file


def describe(tensors, file):
    rows = []
    names = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
             torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
             torch.bool: "BOOL", torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2"}
    for name, tensor in tensors.items():
        row = {"name": name, "file": file, "dtype": names[tensor.dtype], "shape": list(tensor.shape),
               "hex": bytes(tensor.contiguous().view(torch.uint8).flatten().tolist()).hex()
               if tensor.dim() else bytes(tensor.reshape(1).view(torch.uint8).tolist()).hex()}
        if names[tensor.dtype] in ("F64", "F32", "F16", "BF16"):
            row["f32"] = [float(v) for v in tensor.float().flatten()]
        rows.append(row)
    return rows


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    x = torch.randn(3, 5, dtype=torch.float64)
    one = {
        "f64": x, "f32": x.float(), "f16": x.half() * 3, "bf16": x.bfloat16(), "i64": torch.tensor([-(2**62), 5]),
        "i32": torch.tensor([[1, -2], [3, 4]], dtype=torch.int32), "i16": torch.tensor([7, -7], dtype=torch.int16),
        "i8": torch.tensor([-128, 127], dtype=torch.int8), "u8": torch.arange(6, dtype=torch.uint8).reshape(2, 3),
        "bool": torch.tensor([True, False, True]), "f8_e4m3": x.to(torch.float8_e4m3fn),
        "f8_e5m2": x.to(torch.float8_e5m2), "scalar": torch.tensor(2.5, dtype=torch.bfloat16),
        "empty": torch.zeros(0, 4), "four": torch.randn(2, 1, 3, 2), "ünïcode \"name\"": torch.ones(1),
    }
    save_file(one, folder / "single.safetensors", metadata={"format": "pt", "note": "größe"})
    sharded = folder / "sharded"
    sharded.mkdir(exist_ok=True)
    parts = [{"a.weight": torch.randn(2, 4).bfloat16(), "b.weight": torch.randn(3)}, {"c.weight": torch.randn(4, 2).half()}]
    weight_map, rows = {}, []
    for i, part in enumerate(parts):
        name = f"model-{i + 1:05}-of-{len(parts):05}.safetensors"
        save_file(part, sharded / name)
        rows += describe(part, name)
        weight_map |= {key: name for key in part}
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}, indent=1))
    expected = {"single": describe(one, "single.safetensors"), "metadata": {"format": "pt", "note": "größe"}, "sharded": rows}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=True) + "\n")


main()
