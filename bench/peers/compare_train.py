#!/usr/bin/env python3
"""Tokens a second of a training step in Tern and in PyTorch, taking turns: the shape and step of a small model of 3.7 million
parameters (32 sequences of 256 tokens, AdamW, clipping), float32 on both sides, the same number of threads.

usage: compare_train.py TERN_BENCH_TRAIN [--threads 2] [--repetitions 7] [--matmul openblas] [--json OUT]      (needs: pip install torch transformers)

One warm-up of each, then repetitions in turn; medians, spread (half the distance between the quartiles) and the ratio ours /
theirs. The float model is transformers' LlamaForCausalLM; the ternary one its BitNet with the straight-through rule written in
five lines. PyTorch runs as it comes, with its own matrix library.
"""

import argparse
import json
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from turns import Bench, machine, summary

ROWS, TOKENS, VOCABULARY = 32, 256, 2048
SHAPE = dict(hidden_size=256, intermediate_size=768, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=TOKENS, rms_norm_eps=1e-5, vocab_size=VOCABULARY, tie_word_embeddings=True,
             rope_theta=10000.0, initializer_range=0.02)


class Ternary(torch.nn.Linear):
    def forward(self, x):
        scale = self.weight.abs().mean().clamp(min=1e-5).half().float()
        weight = self.weight + ((self.weight / scale).round().clamp(-1, 1) * scale - self.weight).detach()
        factor = 127 / x.abs().amax(-1, keepdim=True).clamp(min=1e-5)
        rounded = x + ((x * factor).round().clamp(-128, 127) / factor - x).detach()
        return torch.nn.functional.linear(rounded, weight)


class Theirs:
    def __init__(self, ternary):
        kind = dict(model_type="bitnet", hidden_act="relu2") if ternary else dict(model_type="llama", hidden_act="silu")
        self.model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**SHAPE, **kind), dtype=torch.float32)
        if ternary:
            for name, module in self.model.named_modules():
                if isinstance(module, torch.nn.Linear) and name.endswith("proj"):
                    module.__class__ = Ternary
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4, betas=(.9, .95), weight_decay=.1)

    def step(self):
        x = torch.randint(0, VOCABULARY, (ROWS, TOKENS + 1))
        start = time.perf_counter()
        logits = self.model(x[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), x[:, 1:].reshape(-1))
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return ROWS * TOKENS / (time.perf_counter() - start)


def shown(values, scale=1):
    middle, spread = summary(values)
    return f"{middle * scale:.4g} +- {spread:.1f} %"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--matmul", default="float32", help="Tern's products: float32, openblas, onednn or bfloat16")
    parser.add_argument("--json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ours = Bench(options.bench, "--threads", str(options.threads), "--matmul", options.matmul, hello=False)
    theirs = {"llama_float": Theirs(False), "bitnet_ternary": Theirs(True)}
    rows = []
    for i in range(options.repetitions + 1):
        row = {"ours": ours.ask(), "theirs": {k: v.step() for k, v in theirs.items()}}
        if i:
            rows.append(row)
    ours.close()
    result = {"machine": machine(), "torch": torch.__version__, "threads": options.threads, "matmul": options.matmul, "rows": rows}
    for kind in ("llama_float", "bitnet_float", "bitnet_ternary"):
        speed = [r["ours"][kind]["tokens_per_second"] for r in rows]
        share = [r["ours"][kind]["share_of_peak"] for r in rows]
        print(f"{kind}: ours {shown(speed)} tokens/s, share of peak {shown(share)}")
        if kind in theirs:
            other = [r["theirs"][kind] for r in rows]
            ratio = [a / b for a, b in zip(speed, other)]
            print(f"{'':{len(kind)}}  torch {shown(other)} tokens/s, ours / torch {shown(ratio)}")
    cost = [r["ours"]["bitnet_float"]["tokens_per_second"] / r["ours"]["bitnet_ternary"]["tokens_per_second"] - 1 for r in rows]
    print(f"quantisation costs {100 * summary(cost)[0]:.1f} % of the float step ({100 * min(cost):.1f} to {100 * max(cost):.1f})")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
