#!/usr/bin/env python3
"""How many inputs of a BitNet's down projections are zero once they are rounded to int8, token by token.

usage: down_projection_sparsity.py MODEL_FOLDER TEXT [--tokens 2048] [--context 256]

MODEL_FOLDER is a Hugging Face folder that transformers loads. Needs torch and transformers. Prints a line for each layer: the
share of zeros of a token's inputs (mean, and the least and largest decile), the share of zeros that were zero before rounding
(where squared ReLU cut), and of groups of 4, 32 and 128 neighbours the share that are all zero.
"""

import torch

from hugging_face import model_and_pieces


def rounded(x):
    """int8 codes of each token as BitNet rounds them."""
    scale = 127 / x.abs().amax(dim=-1, keepdim=True).clamp(min=1e-5)
    return (x * scale).round().clamp(-128, 127)


def report(name, x):
    zero = rounded(x) == 0
    share = zero.float().mean(dim=-1)
    low, high = torch.quantile(share, torch.tensor([0.1, 0.9]))
    line = f"{name:>8}  zeros {share.mean():.3f} [{low:.3f}, {high:.3f}]  before rounding {(x == 0).float().mean():.3f}  groups"
    for n in (4, 32, 128):
        line += f"  of {n}: {zero.unflatten(-1, (-1, n)).all(dim=-1).float().mean():.3f}"
    print(line)


def main():
    model, pieces = model_and_pieces()
    inputs = {}
    for i, layer in enumerate(model.model.layers):
        layer.mlp.down_proj.register_forward_pre_hook(
            lambda _, args, i=i: inputs.setdefault(i, []).append(args[0].detach().float().flatten(0, -2)))
    with torch.no_grad():
        for part in pieces:
            model(part[None])
    for i, parts in inputs.items():
        report(f"layer {i}", torch.cat(parts))
    report("all", torch.cat([part for parts in inputs.values() for part in parts]))


if __name__ == "__main__":
    main()
