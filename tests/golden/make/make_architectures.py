#!/usr/bin/env python3
"""Golden vectors of tiny models, one for each thing that an architecture does its own way.

Oracle: transformers in float32. Needs: pip install torch transformers numpy.
Usage: make_architectures.py OUT_DIR   (tests/golden/data/architectures)

No weights are stored. Element i of tensor NAME is center + amplitude * u, where u in [-1, 1) comes from splitmix64 over
fnv1a64(NAME) + i: the test writes the same checkpoint. For each model: NAME.json (config.json of the folder, the tensors
with shape, center and amplitude, the token ids, and for embedding models modules.json's pooling) and NAME.npy, float32:
logits [n_cases, n_tokens, n_vocab] or the last hidden states [n_cases, n_tokens, width].
"""
import json
import math
import os
import sys

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM

VOCAB = 64
N_TOKENS = 40
N_CASES = 2
MASK = (1 << 64) - 1


def uniform(name, count):
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(count, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float32) / np.float32(1 << 23)) - np.float32(1)


def values(spec):
    count = int(np.prod(spec["shape"]))
    u = uniform(spec["name"], count)
    return (np.float32(spec["center"]) + np.float32(spec["amplitude"]) * u).reshape(spec["shape"])


def rule(name, shape, gemma):
    """Center and amplitude that keep activations of ordinary size."""
    if len(shape) == 1:
        if "norm" in name:
            plain = not gemma or "proj.norm" in name
            return (1.0, 0.25) if plain else (0.0, 0.25)
        return (0.0, 0.125)
    if "embed" in name or "lm_head" in name:
        return (0.0, 1.0)
    return (0.0, round(2.0 / math.sqrt(shape[1]), 4))


class InputNorm(torch.nn.Module):
    """BitNet's linear: RMS norm, activations to int8 per token, ternary weights times their mean magnitude."""

    def __init__(self, linear, gain, eps):
        super().__init__()
        w = linear.weight.data
        scale = w.abs().mean().clamp(min=1e-5)
        self.weight = (w / scale).round().clamp(-1, 1) * scale
        self.gain, self.eps = gain, eps

    def forward(self, x):
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.gain
        s = 127 / x.abs().amax(-1, keepdim=True).clamp(min=1e-5)
        x = (x * s).round().clamp(-128, 127) / s
        return torch.nn.functional.linear(x, self.weight)


def build(out, name, conf, keep_keys, input_norms=False, pooling=None):
    gemma = conf["model_type"].startswith("gemma")
    conf = dict(conf, vocab_size=VOCAB, bos_token_id=0, eos_token_id=1, pad_token_id=None)
    config = AutoConfig.for_model(**conf)
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    tensors = []

    def fill(tensor_name, shape):
        center, amplitude = rule(tensor_name, shape, gemma)
        spec = {"name": tensor_name, "shape": list(shape), "center": center, "amplitude": amplitude}
        tensors.append(spec)
        return torch.from_numpy(values(spec))

    for key, p in model.named_parameters():
        if config.tie_word_embeddings and key == "lm_head.weight":
            continue
        p.data = fill(key, p.shape)
    if input_norms:
        for key, module in list(model.named_modules()):
            if isinstance(module, torch.nn.Linear) and key.endswith("proj"):
                gain = fill(key + ".norm.weight", (module.in_features,))
                parent = model.get_submodule(key.rsplit(".", 1)[0])
                setattr(parent, key.rsplit(".", 1)[1], InputNorm(module, gain, config.rms_norm_eps))
    ids = [[(7 * i + (3 + c) * i * i + 5 * c) % VOCAB for i in range(N_TOKENS)] for c in range(N_CASES)]
    with torch.no_grad():
        batch = torch.tensor(ids)
        result = model.model(batch).last_hidden_state if pooling else model(batch).logits
    said = {k: conf[k] for k in keep_keys if k in conf}
    said["architectures"] = [type(model).__name__]
    json.dump({"config": said, "tensors": tensors, "ids": ids, "pooling": pooling},
              open(os.path.join(out, name + ".json"), "w"), indent=None, separators=(",", ":"))
    np.save(os.path.join(out, name + ".npy"), result.numpy().astype(np.float32))
    print(name, tuple(result.shape), float(result.abs().max()))


def main():
    out = sys.argv[1]
    torch.manual_seed(0)
    base = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, hidden_act="silu",
                tie_word_embeddings=False, rope_theta=10000.0)
    keys = [*base, "model_type", "vocab_size", "head_dim", "rope_scaling", "rope_parameters", "bos_token_id",
            "eos_token_id", "sliding_window", "use_sliding_window", "max_window_layers", "layer_types",
            "sliding_window_pattern", "rope_local_base_freq", "query_pre_attn_scalar", "final_logit_softcapping",
            "attn_logit_softcapping", "hidden_activation"]
    build(out, "mistral-window", dict(base, model_type="mistral", sliding_window=7), keys)
    build(out, "qwen2-upper-window", dict(base, model_type="qwen2", use_sliding_window=True, sliding_window=5,
                                          max_window_layers=1), keys)
    build(out, "llama-linear-rope", dict(base, model_type="llama",
                                         rope_scaling={"rope_type": "linear", "factor": 4.0}), keys)
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
    build(out, "llama-yarn-rope", dict(base, model_type="llama", rope_scaling=yarn), keys)
    build(out, "qwen3-yarn-rope", dict(base, model_type="qwen3", head_dim=32, rope_scaling=dict(
        yarn, beta_fast=8.0, beta_slow=2.0, attention_factor=1.5)), keys)
    gemma = dict(base, model_type="gemma3_text", num_hidden_layers=7, head_dim=32, num_key_value_heads=1,
                 tie_word_embeddings=True, rope_theta=1000000.0, sliding_window=6, rope_local_base_freq=5000.0,
                 query_pre_attn_scalar=24, hidden_activation="gelu_pytorch_tanh")
    gemma.pop("hidden_act")
    build(out, "gemma3-old-spelling", dict(gemma, rope_scaling={"rope_type": "linear", "factor": 8.0}), keys)
    newer = dict(gemma, final_logit_softcapping=20.0, attn_logit_softcapping=3.0, num_hidden_layers=3,
                 layer_types=["full_attention", "sliding_attention", "full_attention"],
                 rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 100000.0},
                                  "sliding_attention": {"rope_type": "default", "rope_theta": 5000.0}})
    for key in ("rope_theta", "rope_local_base_freq"):
        newer.pop(key)
    build(out, "gemma3-new-spelling", newer, keys)
    wide = dict(hidden_size=128, intermediate_size=256)  # rows that I2_S divides
    build(out, "bitnet-embedding-qwen3", dict(dict(base, **wide), model_type="qwen3", head_dim=32, tie_word_embeddings=True),
          keys, input_norms=True, pooling="last")
    build(out, "bitnet-embedding-gemma3", dict(dict(gemma, **wide), num_hidden_layers=2), keys, input_norms=True,
          pooling="mean")


main()
