#!/usr/bin/env python3
"""Would a head in two passes pay? First all logits from a coarse copy of the head, then the exact ones of those rows alone that
may still be the greatest: rows whose coarse logit plus its bound reaches the best coarse logit minus its own.

usage: two_pass_head.py MODEL_FOLDER TEXT [--tokens 2048] [--context 256]

MODEL_FOLDER is a Hugging Face folder that transformers loads. Needs torch and transformers. For coarse copies of 2 to 5 bits in
blocks of 32 (a scale each, 16 bits) it prints how many rows are left, mean and largest tenth, by the bound that always holds
(Cauchy and Schwarz: the length of what rounding took from the row times the length of the input) and how often the exact
greatest logit is among the best 8, 32 and 128 coarse ones, which is no proof; and the bytes that both passes read, as a share of
a head in Q6_K.
"""

import torch

from hugging_face import model_and_pieces

BLOCK = 32
Q6_K_BITS = 210 * 8 / 256


def coarse(weights, bits):
    blocks = weights.unflatten(-1, (-1, BLOCK))
    most = 2 ** (bits - 1) - 1
    scale = blocks.abs().amax(dim=-1, keepdim=True) / most
    codes = (blocks / scale.clamp(min=1e-12)).round().clamp(-most, most)
    return (codes * scale).flatten(-2)


def main():
    model, pieces = model_and_pieces()
    with torch.no_grad():
        inputs = torch.cat([model.model(part[None]).last_hidden_state[0].float() for part in pieces])
        weights = model.get_output_embeddings().weight.float()
        exact = inputs @ weights.T
        best = exact.argmax(dim=-1, keepdim=True)
        rows = weights.shape[0]
        print(f"{rows} rows, {len(inputs)} inputs")
        for bits in (2, 3, 4, 5):
            rough = coarse(weights, bits)
            logits = inputs @ rough.T
            bound = inputs.norm(dim=-1, keepdim=True) * (weights - rough).norm(dim=-1)
            left = (logits + bound >= (logits - bound).amax(dim=-1, keepdim=True)).sum(dim=-1).float()
            order = logits.argsort(dim=-1, descending=True)
            rank = (order == best).float().argmax(dim=-1)
            share = ((bits + 16 / BLOCK) + left.mean().item() / rows * Q6_K_BITS) / Q6_K_BITS
            among = "  ".join(f"best {n}: {(rank < n).float().mean():.4f}" for n in (8, 32, 128))
            print(f"{bits} bits  left {left.mean():8.1f} ({left.mean() / rows:.1%}), largest tenth above {left.quantile(0.9):.0f}"
                  f"  bytes {share:.2f} of Q6_K  {among}")


if __name__ == "__main__":
    main()
