#!/usr/bin/env python3
"""Makes tests/golden/data/export/rows.json: how Hugging Face checkpoints order and pack the rows that GGUF holds.

Oracle: numpy for the order of rotary pairs (the reshape of llama.cpp's converter, read backwards), transformers'
pack_weights for the bytes of ternary matrices, numpy for the stored scales.
Usage: make_export_rows.py OUT_DIR        (needs: pip install numpy torch transformers)
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from transformers.integrations.bitnet import pack_weights


def to_gguf(rows, n_heads):
    """[n_heads * d, k] of a checkpoint as GGUF stores it: pairs half a head apart become neighbours."""
    d = rows.shape[0] // n_heads
    return rows.reshape(n_heads, 2, d // 2, -1).swapaxes(1, 2).reshape(rows.shape)


def main():
    random = np.random.default_rng(5)
    stored = np.arange(3 * 8 * 2, dtype=np.int64).reshape(24, 2)
    codes = random.integers(-1, 2, size=(16, 5))
    rotary = random.integers(-1, 2, size=(16, 5))
    scales = [float(np.float32(np.float16(s))) for s in (0.0123, 0.5, 0.021, 1.7, 3.1e-5, 0.9)]
    out = {
        "stored": stored.tolist(), "head_dim": 8, "gguf": to_gguf(stored, 3).tolist(),
        "codes": codes.tolist(), "packed": pack_weights(torch.tensor(codes, dtype=torch.float32)).tolist(),
        # The same when the source holds GGUF's rows of a query matrix: 2 heads of 8.
        "rotary_gguf": to_gguf(rotary, 2).tolist(),
        "rotary_packed": pack_weights(torch.tensor(rotary, dtype=torch.float32)).tolist(),
        "scales": scales, "inverses": [float(np.float32(1) / np.float32(s)) for s in scales],
    }
    Path(sys.argv[1], "rows.json").write_text(json.dumps(out) + "\n")


main()
