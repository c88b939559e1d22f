#!/usr/bin/env python3
"""Makes tests/golden/data/llama2c: tiny llama2.c checkpoints, and expected.json with sums and first values of each tensor.

Usage: make_llama2c.py OUTPUT_FOLDER        (needs: pip install numpy)

The two layouts are restated here in numpy from the description in the llama2.c project's export script: version 0 (seven
integers, then float32, a negative vocabulary for a classifier of its own) and version 1 (a 256-byte header).
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np

DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, VOCAB, SEQ = 8, 12, 2, 4, 2, 10, 6
KV = DIM // HEADS * KV_HEADS


def weights(rng, shared):
    def r(*shape):
        return rng.standard_normal(shape).astype(np.float32)
    w = {"tok_embeddings.weight": r(VOCAB, DIM), "norm.weight": r(DIM)}
    for i in range(LAYERS):
        p = f"layers.{i}."
        w[p + "attention_norm.weight"] = r(DIM)
        w[p + "ffn_norm.weight"] = r(DIM)
        w[p + "attention.wq.weight"] = r(DIM, DIM)
        w[p + "attention.wk.weight"] = r(KV, DIM)
        w[p + "attention.wv.weight"] = r(KV, DIM)
        w[p + "attention.wo.weight"] = r(DIM, DIM)
        w[p + "feed_forward.w1.weight"] = r(HIDDEN, DIM)
        w[p + "feed_forward.w2.weight"] = r(DIM, HIDDEN)
        w[p + "feed_forward.w3.weight"] = r(HIDDEN, DIM)
    if not shared:
        w["output.weight"] = r(VOCAB, DIM)
    return w


def bytes_of(w, version, shared):
    def all_layers(suffix):
        return b"".join(w[f"layers.{i}.{suffix}.weight"].tobytes() for i in range(LAYERS))
    attention = b"".join(all_layers(f"attention.{n}") for n in ("wq", "wk", "wv", "wo"))
    mlp = b"".join(all_layers(f"feed_forward.{n}") for n in ("w1", "w2", "w3"))
    embedding, norm = w["tok_embeddings.weight"].tobytes(), w["norm.weight"].tobytes()
    numbers = (DIM, HIDDEN, LAYERS, HEADS, KV_HEADS)
    if version == 0:
        out = struct.pack("<7i", *numbers, VOCAB if shared else -VOCAB, SEQ)
        angles = np.outer(np.arange(SEQ), 10000.0 ** (-np.arange(0, DIM // HEADS, 2) / (DIM // HEADS)))
        tables = np.cos(angles).astype(np.float32).tobytes() + np.sin(angles).astype(np.float32).tobytes()
        out += embedding + all_layers("attention_norm") + attention + all_layers("ffn_norm") + mlp + norm + tables
    else:
        out = struct.pack("<Ii7iB", 0x616B3432, 1, *numbers, VOCAB, SEQ, int(shared))
        out += b"\0" * (256 - len(out))
        out += all_layers("attention_norm") + all_layers("ffn_norm") + norm + embedding + attention + mlp
    return out if shared else out + w["output.weight"].tobytes()


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for version in (0, 1):
        for shared in (True, False):
            w = weights(np.random.default_rng(2 * version + shared), shared)
            name = f"v{version}_{'shared' if shared else 'own_classifier'}.bin"
            (folder / name).write_bytes(bytes_of(w, version, shared))
            files.append({"file": name, "version": version, "shared": shared, "seq_len": SEQ,
                          "tensors": [{"name": n, "shape": list(a.shape[::-1]), "hex": a.tobytes().hex()}
                                      for n, a in w.items()]})
    (folder / "expected.json").write_text(json.dumps(files, indent=1) + "\n")


main()
