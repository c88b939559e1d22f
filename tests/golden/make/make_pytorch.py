#!/usr/bin/env python3
"""Makes tests/golden/data/pytorch: checkpoints written by torch.save, what they hold (expected.json), and one tiny LLaMA
model as pytorch_model.bin and as model.safetensors.

Usage: make_pytorch.py OUTPUT_FOLDER        (needs: pip install torch safetensors)

For floating-point tensors expected.json holds the values as float32, converted by torch.
"""
import collections
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

NAMES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
         torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
         torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64", torch.float8_e4m3fn: "F8_E4M3",
         torch.float8_e5m2: "F8_E5M2"}


def describe(tensors):
    rows = []
    for name, tensor in tensors.items():
        tensor = tensor.detach()
        plain = tensor.contiguous().flatten()
        row = {"name": name, "dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
               "contiguous": tensor.is_contiguous(), "hex": bytes(plain.view(torch.uint8).tolist()).hex()}
        if row["dtype"] in ("F64", "F32", "F16", "BF16"):
            row["f32"] = [float(v) for v in tensor.float().flatten()]
        rows.append(row)
    return rows


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    expected = {}

    def save(file, value, tensors, **options):
        torch.save(value, folder / file, **options)
        expected[file] = describe(tensors)

    x = torch.randn(3, 5, dtype=torch.float64)
    dtypes = {
        "f64": x, "f32": x.float(), "f16": x.half() * 3, "bf16": x.bfloat16(), "i64": torch.tensor([-(2**62), 5]),
        "i32": torch.tensor([[1, -2], [3, 4]], dtype=torch.int32), "i16": torch.tensor([7, -7], dtype=torch.int16),
        "i8": torch.tensor([-128, 127], dtype=torch.int8), "u8": torch.arange(6, dtype=torch.uint8).reshape(2, 3),
        "bool": torch.tensor([True, False, True]), "u16": torch.tensor([1, 65535], dtype=torch.uint16),
        "u32": torch.tensor([2**32 - 1], dtype=torch.uint32), "u64": torch.tensor([7], dtype=torch.uint64),
        "f8_e4m3": x.to(torch.float8_e4m3fn), "f8_e5m2": x.to(torch.float8_e5m2),
        "scalar": torch.tensor(2.5, dtype=torch.bfloat16), "empty": torch.zeros(0, 4),
        "empty_inside": torch.zeros(3, 0, 2), "ünïcode \"name\"": torch.ones(1),
    }
    save("dtypes.pt", dtypes, dtypes)

    base = torch.randn(4, 6)
    cube = torch.randn(2, 3, 4).half()
    shared = torch.randn(5, 3)
    tagged = torch.nn.Parameter(torch.randn(2, 2))
    tagged.note = "an attribute of its own"  # makes torch write _rebuild_from_type_v2
    views = {
        "base": base, "transposed": base.t(), "rows": base[1:3], "columns": base[:, 2:5], "stepped": base[::2, ::3],
        "one_column": base[:, 3], "one_row": base[2:3], "permuted": cube.permute(2, 0, 1), "cube": cube,
        "tied_a": shared, "tied_b": shared, "tied_rows": shared[2:], "parameter": torch.nn.Parameter(base.bfloat16()),
        "parameter_t": torch.nn.Parameter(base).t(), "tagged": tagged,
        "f8_t": base.to(torch.float8_e4m3fn).t(), "column_of_one": torch.randn(4, 1).t(),
    }
    save("views.pt", views, views)

    small = {"a.weight": torch.randn(2, 3), "a.bias": torch.randn(3).half()}
    for protocol in range(2, 6):
        save(f"protocol_{protocol}.pt", small, small, pickle_protocol=protocol)
    torch.manual_seed(4)
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    save("module.bin", module.state_dict(), module.state_dict())  # an OrderedDict with _metadata
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    state = module.state_dict()
    save("training.pt", {"epoch": 3, "loss": 0.5, "optimizer": optimizer.state_dict(), "state_dict": state,
                         "args": {"lr": 1e-3, "betas": (0.9, 0.95), "name": None, "big": 2**40, "neg": -5}}, state)
    for nest in ("model", "module", "model_state_dict"):
        save(f"under_{nest}.pt", collections.OrderedDict({"step": torch.Size([1, 2]), nest: state, "done": {1, 2}}), state)
    save("mixed.pt", {**small, "version": 7, "history": [1, 2.5, "x", b"raw", True]}, small)

    refused = {
        "expanded.pt": {"a": torch.ones(1).expand(1000, 1000)},
        "complex.pt": {"a": torch.ones(2, dtype=torch.complex64)},
        "sparse.pt": {"a": torch.eye(3).to_sparse()},
        "whole_module.pt": torch.nn.Linear(2, 2),
        "one_tensor.pt": torch.ones(2),
        "list.pt": [torch.ones(2)],
        "no_tensors.pt": {"a": 1, "state_dict": {"b": 2}},
    }
    for file, value in refused.items():
        torch.save(value, folder / file)
    torch.save(small, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(torch.nn.Linear(2, 2)).save(folder / "script.pt")

    sharded = folder / "sharded"
    sharded.mkdir(exist_ok=True)
    parts = [{"a.weight": torch.randn(2, 4).bfloat16(), "b.weight": torch.randn(3)}, {"c.weight": torch.randn(4, 2).half()}]
    weight_map = {}
    for i, part in enumerate(parts):
        name = f"pytorch_model-{i + 1:05}-of-{len(parts):05}.bin"
        torch.save(part, sharded / name)
        weight_map |= {key: name for key in part}
    (sharded / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}, indent=1))
    expected["sharded"] = describe(parts[0] | parts[1])

    # A LLaMA: grouped keys, an own head, one matrix stored transposed, a buffer that follows from the configuration.
    model = folder / "llama"
    model.mkdir(exist_ok=True)
    torch.manual_seed(5)
    width, hidden, n_vocab, n_kv = 32, 64, 40, 16
    tensors = {"model.embed_tokens.weight": torch.randn(n_vocab, width).bfloat16(),
               "model.norm.weight": 1 + 0.1 * torch.randn(width), "lm_head.weight": torch.randn(n_vocab, width).half()}
    layer = "model.layers.0."
    for name, rows, columns in (("self_attn.q_proj", width, width), ("self_attn.k_proj", n_kv, width),
                                ("self_attn.v_proj", n_kv, width), ("self_attn.o_proj", width, width),
                                ("mlp.gate_proj", hidden, width), ("mlp.up_proj", hidden, width),
                                ("mlp.down_proj", width, hidden)):
        tensors[f"{layer}{name}.weight"] = (0.1 * torch.randn(rows, columns)).bfloat16()
    for name in ("input_layernorm", "post_attention_layernorm"):
        tensors[f"{layer}{name}.weight"] = (1 + 0.1 * torch.randn(width)).bfloat16()
    save_file(tensors, model / "model.safetensors")
    stored = dict(tensors)
    for name in ("self_attn.q_proj", "mlp.down_proj"):
        stored[f"{layer}{name}.weight"] = tensors[f"{layer}{name}.weight"].t().contiguous().t()
    stored["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
    torch.save({"model": stored, "epoch": 1}, model / "pytorch_model.bin")
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": width,
              "intermediate_size": hidden, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
              "vocab_size": n_vocab, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
              "tie_word_embeddings": False, "hidden_act": "silu"}
    (model / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (model / "vocab.json").write_text(json.dumps({"a": 0, "b": 1, "ab": 2}) + "\n")
    (model / "merges.txt").write_text("#version: 0.2\na b\n")

    expected["torch"] = torch.__version__
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=True) + "\n")


main()
