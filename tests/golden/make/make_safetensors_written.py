#!/usr/bin/env python3
"""Makes tests/golden/data/safetensors/written.safetensors with the PyPI package `safetensors`: what our writer must write.

Usage: make_safetensors_written.py OUTPUT_FOLDER        (needs: pip install safetensors torch)
       make_safetensors_written.py --read FILE...       prints what the package reads of files that Tern wrote

Byte i of the t-th tensor of TENSORS is (7 i + 13 t + 1) mod 251. The package orders the tensors itself.
"""
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

TENSORS = [("z.weight", torch.float32, [3, 5]), ("a.weight", torch.float32, [2]), ("packed", torch.uint8, [3, 7]),
           ("packed_scale", torch.float32, [1]), ("half", torch.float16, [5]), ("brain", torch.bfloat16, [2, 3]),
           ("step", torch.int64, []), ("empty", torch.float32, [0, 4]), ("double", torch.float64, [1]),
           ("flag", torch.bool, [3]), ("n", torch.int32, [2]), ("tiny", torch.int8, [1]),
           ("ünïcode \"name\"\n\x01\x7f\\/", torch.uint8, [1]), ("i16", torch.int16, [1]), ("u16", torch.uint16, [1]),
           ("u32", torch.uint32, [1]), ("u64", torch.uint64, [1]), ("e4m3", torch.float8_e4m3fn, [2]),
           ("e5m2", torch.float8_e5m2, [3]), ("B", torch.bfloat16, [1]), ("A", torch.float16, [1])]


def main():
    if sys.argv[1] == "--read":
        for name in sys.argv[2:]:
            with safe_open(name, "pt") as file:
                print(name, file.metadata(), {k: file.get_slice(k).get_shape() for k in file.keys()})
        return
    tensors = {}
    for t, (name, dtype, shape) in enumerate(TENSORS):
        tensor = torch.zeros(shape, dtype=dtype)
        data = bytes((7 * i + 13 * t + 1) % 251 for i in range(tensor.numel() * tensor.element_size()))
        if data:
            tensor = torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)
        tensors[name] = tensor
    save_file(tensors, Path(sys.argv[1]) / "written.safetensors", {"format": "pt"})


main()
