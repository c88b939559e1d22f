#!/usr/bin/env python3
"""Golden vectors of training: gradients of step kinds and fake quantisers, and ten optimiser steps of whole models.

Oracle: torch's autograd, torch.optim.AdamW, clip_grad_norm_. Needs: pip install torch safetensors numpy.
Usage: make_training.py OUT_DIR            (tests/golden/data/training)
       make_training.py --search MODEL     looks for a seed of a model (below) and prints it; takes seconds to minutes

All tensors are float32, token ids included; numbers that describe a case are strings of the file's metadata. Shapes are
torch's: matrices [n_rows, row_length], activations [n_tokens, width]; token t of a case stands at position t.

steps.safetensors: one case a prefix ("glu_silu.gate"). Inputs and parameters are float32 numbers; everything after
them is computed in float64 and stored as float32. "out" is the output, "d_out" the gradient of some loss with respect
to it, and "d_NAME" the gradient of input or parameter NAME. Cases and the names beside out and d_out:
  rms_norm, rms_norm_heads (group_width)                in, weight
  layer_norm                                            in, weight, bias
  linear, linear_bias, linear_scaled                    in, weight, bias, output_scale [1]: out = in weight' * scale + bias
  rope_adjacent, rope_half_split, *_partial, rope_factors  in, factors [n_rotary / 2] (no gradient: not a parameter)
  attention, attention_window, attention_soft_cap, attention_window_soft_cap, attention_all (not causal)
                                                        query, key, value
  unary_F (F: silu, relu2, gelu_tanh)                   in
  glu_F                                                 gate, up: out = F(gate) * up
  add                                                   a, b
  scale (factor)                                        in
  embedding (factor)                                    table, tokens (no gradient)
  head, head_soft_cap                                   in, weight, targets; out = the logits, no d_out: the gradients
                                                        are those of "loss" [1], the mean cross-entropy of the tokens
Metadata "CASE.KEY": eps, group_width, n_heads, n_kv_heads, head_dim, n_rotary, pairing, base, scale, window, soft_cap,
causal, factor. A capped score or logit is cap * tanh(x / cap), after the scale and before the mask.

quantisers.safetensors: what fake_quantisers.py defines, of one weight [4, 256] (METHOD.GRANULARITY; granularities
tensor, group64, group128) and one input [3, 256]. Codes, scales and values are computed in float32 as a trainer would;
the products and gradients from them in float64.
  weight, input, d_out [3, 4]; ties, a second weight [4, 128] of ties, zeros and a group that is all zero
  METHOD.GRANULARITY.scale [n_groups], .codes, .value (of weight), .out = input value', .d_input, .d_weight (identity;
  lsq: the paper's rule), .d_weight_clipped (not lsq), .step and .d_step [n_groups] (lsq only; the step is a parameter
  and given: shorter than the paper's first one, so that a tenth of the weights lies out of range)
  ties.METHOD.GRANULARITY.scale, .codes, .value (not lsq), and for lsq4 and lsq8 ties.lsqB.group64.step as well
  act8.s [3], act8.codes, act8.value; act4 the same (of input)
  act8.METHOD.tensor.out, .d_input, .d_weight: both rounded, identity; act4 the same
  hard, a second input [4, 128] with ties, a row of zeros, one of tiny numbers; hard.act8.s, .codes, .value; hard.act4

llama_float, llama_lsq4, bitnet_ternary, bitnet_binary .safetensors: whole models (training_models.py), float32 on one
thread: loss and gradients before the first step and ten steps of AdamW.
  initial.NAME, gradient.NAME (of step 0, before clipping), final.NAME (after ten steps); NAME as in GGUF, and for
  llama_lsq4 also blk.N.PROJECTION.step [1]; the head is token_embd.weight
  scale.NAME [1] at step 0 of each quantised matrix (the half; NAME as in initial)
  tokens [10, 4, 13]: step, row, position: 12 inputs and, one to the left, 12 targets a row
  loss [10] before each step: mean over its 48 tokens; grad_norm [10] before clipping; lr [10] used
AdamW: betas 0.9 and 0.95, eps 1e-8, decoupled weight decay 0.1 on tensors with two dimensions (the embedding too), 0 on
the others (norms, learned steps); gradients are multiplied by min(1, 1 / (norm + 1e-6)) first, the norm being that of
all of them together. Warm-up of 3 steps, then linear. bitnet: absmean or sign, one scale a matrix, inputs of the
blocks' matrices rounded to 8 bits per token; embedding, head and norms are float.
Seeds were searched for (--search): at step 0 no ratio w / scale and no x * s lies within 1e-4 of where its code changes
(sign: w - mean in units of the scale; lsq: the ends of the range too, where the gradient's case changes), at later
steps within 1e-5 (two float32 steps of the largest x * s); no scale lies within 2e-6 (relative) of where its half
changes; and the same run in float64 has the same codes in all ten steps. So a float32 trainer that sums in another
order can be compared strictly through all ten. Metadata of each model:
  architecture, method, activation_bits, seed, shape numbers, norm_eps, rope_base, weight_decay, clip, betas, adam_eps
  margin.weight, margin.token, margin.half    the nearest at each step, comma separated ("inf" where nothing is rounded)
  first_step_within_1e-5                      of a tie of weights or inputs: "none" (a margin of the search)
  float64.loss, float64.gradient, float64.final  the largest difference of this run from the same one in float64: loss
                                              relative; gradient and final relative to each tensor's largest magnitude
Versions of torch and numpy stand in every file's metadata.
"""
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import fake_quantisers as fq
import training_models as tm

F32_EPS = float(np.float32(1e-5))
N_TOKENS = 9
UNARY = {"silu": torch.nn.functional.silu, "relu2": lambda x: torch.relu(x).square(),
         "gelu_tanh": lambda x: torch.nn.functional.gelu(x, approximate="tanh")}
NARROWER = {"lsq4": 0.4, "lsq8": 0.1}  # steps this much shorter than the paper's first ones put weights out of range
GRANULARITIES = ("tensor", "group64", "group128")


class File:
    def __init__(self):
        self.tensors, self.metadata = {}, {"torch": torch.__version__, "numpy": np.__version__}

    def put(self, name, tensor):
        tensor = tensor.detach().float().contiguous().clone()
        self.tensors[name] = tensor.reshape(1) if tensor.ndim == 0 else tensor

    def save(self, path):
        save_file(self.tensors, path, metadata=self.metadata)
        file = path.read_bytes()  # the package orders the header's keys anew in each run: sorted, a run is repeatable
        end = 8 + int.from_bytes(file[:8], "little")
        header = json.dumps(json.loads(file[8:end]), sort_keys=True, separators=(",", ":")).encode()
        header += b" " * (-len(header) % 8)
        path.write_bytes(len(header).to_bytes(8, "little") + header + file[end:])
        path.chmod(0o644)


class StepCases:
    def __init__(self):
        self.file = File()
        self.random = torch.Generator().manual_seed(5)

    def normal(self, *shape, spread=1.0, around=0.0):
        return around + spread * torch.randn(*shape, generator=self.random)

    def add(self, case, function, trained, fixed=None, is_loss=False, **numbers):
        """function(**trained, **fixed) -> out, or (loss, out) with is_loss."""
        fixed = fixed or {}
        wide = {k: v.double().requires_grad_() for k, v in trained.items()}
        out = function(**wide, **fixed)
        for name, tensor in (trained | fixed).items():
            self.file.put(f"{case}.{name}", tensor)
        if is_loss:
            loss, out = out
            loss.backward()
            self.file.put(f"{case}.loss", loss)
        else:
            d_out = self.normal(*out.shape)
            out.backward(d_out.double())
            self.file.put(f"{case}.d_out", d_out)
        self.file.put(f"{case}.out", out)
        for name, tensor in wide.items():
            self.file.put(f"{case}.d_{name}", tensor.grad)
        self.file.metadata |= {f"{case}.{k}": f"{v}" for k, v in numbers.items()}


def rms_norm(x, weight, group_width):
    g = x.unflatten(-1, (-1, group_width))
    return (g * torch.rsqrt(g.square().mean(-1, keepdim=True) + F32_EPS) * weight).flatten(-2)


def head_loss(x, weight, targets, soft_cap):
    logits = x @ weight.T
    if soft_cap:
        logits = soft_cap * torch.tanh(logits / soft_cap)
    return torch.nn.functional.cross_entropy(logits, targets), logits


def steps():
    c = StepCases()
    normal = c.normal
    c.add("rms_norm", lambda **a: rms_norm(a["in"], a["weight"], 24),
          {"in": normal(N_TOKENS, 24), "weight": normal(24, spread=0.3, around=1)}, eps=F32_EPS, group_width=0)
    c.add("rms_norm_heads", lambda **a: rms_norm(a["in"], a["weight"], 8),
          {"in": normal(N_TOKENS, 24), "weight": normal(8, spread=0.3, around=1)}, eps=F32_EPS, group_width=8)
    c.add("layer_norm", lambda **a: torch.nn.functional.layer_norm(a["in"], (24,), a["weight"], a["bias"], F32_EPS),
          {"in": normal(N_TOKENS, 24, around=0.5), "weight": normal(24, spread=0.3, around=1), "bias": normal(24)},
          eps=F32_EPS, group_width=0)
    for name, extra in (("linear", {}), ("linear_bias", {"bias": normal(40)}),
                        ("linear_scaled", {"output_scale": torch.tensor([0.37])})):
        c.add(name, lambda **a: a["in"] @ a["weight"].T * a.get("output_scale", 1) + a.get("bias", 0),
              {"in": normal(N_TOKENS, 24), "weight": normal(40, 24, spread=0.2)} | extra)
    for name, adjacent, n_rotary in (("rope_adjacent", True, 8), ("rope_half_split", False, 8),
                                     ("rope_adjacent_partial", True, 6), ("rope_half_split_partial", False, 6)):
        tables = tm.rope_tables(N_TOKENS, n_rotary, torch.float64)
        c.add(name, lambda **a: tm.rope(a["in"].unflatten(-1, (3, 8)), *tables, adjacent).flatten(-2),
              {"in": normal(N_TOKENS, 24)}, n_heads=3, head_dim=8, n_rotary=n_rotary, base=tm.BASE,
              pairing="adjacent" if adjacent else "half_split")
    factors = torch.tensor([1.0, 1.5, 4.0, 8.0])
    tables = tm.rope_tables(N_TOKENS, 8, torch.float64, factors.numpy())
    c.add("rope_factors", lambda **a: tm.rope(a["in"].unflatten(-1, (3, 8)), *tables, False).flatten(-2),
          {"in": normal(N_TOKENS, 24)}, {"factors": factors}, n_heads=3, head_dim=8, n_rotary=8, base=tm.BASE,
          pairing="half_split")
    scale = float(np.float32(1 / math.sqrt(8)))
    for name, window, soft_cap, causal in (("attention", 0, 0.0, True), ("attention_window", 4, 0.0, True),
                                           ("attention_soft_cap", 0, 5.0, True),
                                           ("attention_window_soft_cap", 4, 5.0, True),
                                           ("attention_all", 0, 0.0, False)):
        c.add(name, lambda query, key, value: tm.attention(query.unflatten(-1, (4, 8)), key.unflatten(-1, (2, 8)),
                                                           value.unflatten(-1, (2, 8)), scale, window, soft_cap, causal),
              {"query": normal(N_TOKENS, 32, spread=1.5), "key": normal(N_TOKENS, 16, spread=1.5),
               "value": normal(N_TOKENS, 16)},
              n_heads=4, n_kv_heads=2, head_dim=8, scale=scale, window=window, soft_cap=soft_cap, causal=int(causal))
    for name, function in UNARY.items():
        c.add(f"unary_{name}", lambda **a: function(a["in"]), {"in": normal(N_TOKENS, 40, spread=2)})
        c.add(f"glu_{name}", lambda gate, up: function(gate) * up,
              {"gate": normal(N_TOKENS, 40, spread=2), "up": normal(N_TOKENS, 40)})
    c.add("add", lambda a, b: a + b, {"a": normal(N_TOKENS, 24), "b": normal(N_TOKENS, 24)})
    factor = float(np.float32(0.7))
    c.add("scale", lambda **a: a["in"] * factor, {"in": normal(N_TOKENS, 24)}, factor=factor)
    tokens = torch.tensor([3, 0, 12, 3, 3, 7, 12, 1, 5])
    c.add("embedding", lambda table, tokens: table[tokens] * 0.5, {"table": normal(13, 24)}, {"tokens": tokens},
          factor=0.5)
    for name, soft_cap in (("head", 0.0), ("head_soft_cap", 3.0)):
        targets = torch.randint(41, (N_TOKENS,), generator=c.random)
        c.add(name, lambda **a: head_loss(a["in"], a["weight"], a["targets"], soft_cap),
              {"in": normal(N_TOKENS, 24), "weight": normal(41, 24, spread=0.5)}, {"targets": targets}, is_loss=True,
              soft_cap=soft_cap)
    return c.file


def tied_weight():
    """[4, 128]: two groups of 64 a row. Row 0: mean |w| = 1 and mean 0 exactly, so that w / scale is 0.5 and 1.5 in
    places; row 1: one group zero, one with a mean of 2^-10; row 2: every w equal; row 3: ordinary numbers."""
    w = torch.zeros(4, 128)
    w[0] = torch.tensor([0.5, 1.5, -0.5, -1.5, 0.0, 2.0, 0.0, -2.0]).repeat(16)
    w[1, 64:] = torch.tensor([1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 0.0, 2.0]).repeat(8) / 1024
    w[2] = 0.25
    w[3] = torch.randn(128, generator=torch.Generator().manual_seed(6)) * 0.05
    return w


def hard_tokens():
    """[4, 128]: ties at 8 bits (largest 127, s = 1), ties at 4 bits (largest 7), zeros, numbers below the floor."""
    x = torch.zeros(4, 128)
    x[0] = torch.arange(128) - 63.5
    x[0, 5], x[0, 6] = 127.0, -127.0
    x[1] = (torch.arange(128) % 15 - 7) * 0.5
    x[1, 0], x[1, 1] = 7.0, -7.0
    x[3] = torch.randn(128, generator=torch.Generator().manual_seed(8)) * 3e-6
    x[3] = x[3].clamp(-9e-6, 9e-6)
    return x


def put_weight_codes(f, prefix, w, method, granularity, step=None):
    codes, _, scale = fq.quantise(w, method, granularity, step)
    f.put(f"{prefix}.scale", scale)
    f.put(f"{prefix}.codes", codes)
    f.put(f"{prefix}.value", fq.dequantise(codes, scale, granularity))
    if step is not None:
        f.put(f"{prefix}.step", step)


def put_token_codes(f, prefix, x, bits):
    codes, s = fq.quantise_tokens(x, bits)
    f.put(f"{prefix}.s", s[:, 0])
    f.put(f"{prefix}.codes", codes)
    f.put(f"{prefix}.value", codes / s)


def product(f, prefix, x, w, d_out, bits, method, granularity, step=None, clipped=False):
    """out and gradients of linear(act(x), quant(w)) by autograd in float64, around the float32 codes and values."""
    x, w = x.double().requires_grad_(), w.double().requires_grad_()
    tokens = x
    if bits:
        codes, s = fq.quantise_tokens(x.detach().float(), bits)
        tokens = fq.StraightThrough.apply(x, (codes / s).double(), None)
    if step is not None:
        step = step.double().requires_grad_()
    assert torch.equal(fq.quantise(w, method, granularity, step)[0].float(),
                       fq.quantise(w.float(), method, granularity, None if step is None else step.float())[0])
    out = tokens @ fq.fake_weight(w, method, granularity, step, clipped).T
    out.backward(d_out.double())
    if clipped:
        f.put(f"{prefix}.d_weight_clipped", w.grad)
        return
    f.put(f"{prefix}.out", out)
    f.put(f"{prefix}.d_input", x.grad)
    f.put(f"{prefix}.d_weight", w.grad)
    if step is not None:
        f.put(f"{prefix}.d_step", step.grad)


def quantisers():
    f = File()
    g = torch.Generator().manual_seed(7)
    w = torch.randn(4, 256, generator=g) * 0.06 + 0.01
    w = w * torch.linspace(0.5, 1.5, 4)[:, None]  # so that groups have scales of their own
    x, d_out = torch.randn(3, 256, generator=g), torch.randn(3, 4, generator=g)
    ties, hard = tied_weight(), hard_tokens()
    for name, tensor in (("weight", w), ("input", x), ("d_out", d_out), ("ties", ties), ("hard", hard)):
        f.put(name, tensor)
    for method in ("sign", "absmean", "absmedian"):
        for granularity in GRANULARITIES:
            at = f"{method}.{granularity}"
            put_weight_codes(f, at, w, method, granularity)
            product(f, at, x, w, d_out, 0, method, granularity)
            product(f, at, x, w, d_out, 0, method, granularity, clipped=True)
            put_weight_codes(f, f"ties.{at}", ties, method, granularity)
    for method in fq.LSQ_BITS:
        for granularity in GRANULARITIES:
            at = f"{method}.{granularity}"
            step = fq.lsq_first_step(w, method, granularity) * NARROWER[method]
            put_weight_codes(f, at, w, method, granularity, step)
            product(f, at, x, w, d_out, 0, method, granularity, step)
        # A power of two as the step makes ties of the odd multiples of its half, and lsq4's ends of row 0's 2.0.
        step = torch.tensor([1.0, 0.25, 1.0, 2.0**-10, 0.5, 0.1, 0.02, 0.02])
        put_weight_codes(f, f"ties.{method}.group64", ties, method, "group64", step)
    for bits in (8, 4):
        put_token_codes(f, f"act{bits}", x, bits)
        put_token_codes(f, f"hard.act{bits}", hard, bits)
        for method in ("sign", "absmean", "absmedian"):
            product(f, f"act{bits}.{method}.tensor", x, w, d_out, bits, method, "tensor")
        for method in fq.LSQ_BITS:
            step = fq.lsq_first_step(w, method, "tensor") * NARROWER[method]
            product(f, f"act{bits}.{method}.tensor", x, w, d_out, bits, method, "tensor", step)
    ratio = ties[0] / fq.half(ties[0, :64].abs().mean())
    assert ((ratio.abs() - 0.5) == 0).any() and f.tensors["ties.absmean.group64.codes"][0, 0] == 0
    assert f.tensors["ties.sign.group64.codes"][0, 4] == -1  # w = mean = 0
    scaled = hard * f.tensors["hard.act8.s"][:, None]
    assert ((scaled[0] - scaled[0].floor()) == 0.5).sum() > 100
    scaled = hard * f.tensors["hard.act4.s"][:, None]
    assert ((scaled[1] - scaled[1].floor()) == 0.5).sum() > 50
    return f


def relative(a, b):
    return max(float((a[k].double() - b[k]).abs().max() / b[k].abs().max()) for k in a)


def model(name):
    architecture, method, bits, seed = tm.MODELS[name]
    run, wide = tm.train(name, seed), tm.train(name, seed, torch.float64)
    assert method == "none" or tm.same_codes(run, wide)
    assert method == "none" or all(tm.margins(s, w) for s, w in enumerate(run["watch"]))
    f = File()
    for part in ("initial", "gradient", "final"):
        for tensor, value in run[part].items():
            f.put(f"{part}.{tensor}", value)
    for tensor, _, _ in tm.matrices(architecture) if method != "none" else ():
        weight, step = run["initial"][tensor + ".weight"], run["initial"].get(tensor + ".step")
        f.put(f"scale.{tensor}.weight", fq.quantise(weight, method, "tensor", step)[2])
    f.put("tokens", run["tokens"])
    for key in ("loss", "grad_norm", "lr"):
        f.put(key, torch.tensor(run[key], dtype=torch.float64))
    near = [s for s, w in enumerate(run["watch"]) if min(w.weight, w.token) < 1e-5]
    f.metadata |= {k: str(v) for k, v in tm.SHAPE.items()}
    f.metadata |= {
        "architecture": architecture, "method": method, "activation_bits": str(bits), "seed": str(seed),
        "norm_eps": "1e-5", "rope_base": str(tm.BASE), "weight_decay": str(tm.DECAY), "clip": str(tm.CLIP),
        "betas": f"{tm.BETAS[0]},{tm.BETAS[1]}", "adam_eps": str(tm.ADAM_EPS),
        "first_step_within_1e-5": str(near[0]) if near else "none",
        "float64.loss": f"{max(abs(a - b) / b for a, b in zip(run['loss'], wide['loss'])):.3g}",
        "float64.gradient": f"{relative(run['gradient'], wide['gradient']):.3g}",
        "float64.final": f"{relative(run['final'], wide['final']):.3g}"}
    for kind in ("weight", "token", "half"):
        f.metadata[f"margin.{kind}"] = ",".join(f"{getattr(w, kind):.4g}" for w in run["watch"])
    return f


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if sys.argv[1] == "--search":
        print(tm.search(sys.argv[2], range(1, 1_000_000)))
        return
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    steps().save(folder / "steps.safetensors")
    quantisers().save(folder / "quantisers.safetensors")
    for name in tm.MODELS:
        model(name).save(folder / f"{name}.safetensors")


main()
