"""Fake quantisers in torch: the definitions that make_training.py and training_models.py share. Not a program.

Weights [n_rows, row_length] are quantised whole ("tensor") or in groups of consecutive inputs of a row ("group64",
"group128"); groups are numbered row by row. Every scale is rounded to float16 *before* it divides or multiplies, and
divisions are float32 divisions (not products with a reciprocal):

  sign       scale = half(mean |w|), no lower bound; code = +1 where w > mean(w), else -1: sign(0) = -1. Both means are
             those of the group.                                                      (arXiv 2310.11453, eq. 1 to 3)
  absmean    scale = half(max(mean |w|, 1e-5));   code = clamp(rint(w / scale), -1, 1)           (arXiv 2402.17764)
  absmedian  scale = half(max(median |w|, 1e-5)), the lower of the two middle ones where their number is even, as
             torch.median gives it; code as absmean                                             (arXiv 2407.09527)
  lsq4, lsq8 scale = half(step), a learned number; code = rint(clamp(w / scale, -Qn, Qp)), Qn = 2^(b-1), Qp = Qn - 1;
             first step = 2 mean |w| / sqrt(Qp)                                                 (arXiv 1902.08153)
  value = code * scale (exact in float32)

Straight-through gradients, from the gradient G of the value:

  identity   dw = G: nothing through scale or mean
  clipped    dw = G where |w / scale| <= 1, else 0; w is not centred, for sign neither. Where the scale is 0 (sign, all
             weights 0) w / scale is not a number: not greater than 1, so the gradient passes.
  lsq        dw = G where -Qn < w / scale < Qp, else 0;
             dstep = g * sum over the group of G * (code - w / scale inside that range; -Qn below; Qp above),
             g = 1 / sqrt(elements of the group * Qp); rounding the step to half has gradient 1

Activations, per token (row): s = Q * (1 / max(max |x|, 1e-5)) in float32 with the reciprocal rounded first, code =
clamp(rint(x * s), -Q - 1, Q), value = code / s; Q = 127 (8 bits) or 7 (4 bits). Straight-through: identity.
rint rounds ties to even everywhere.
"""
import math

import numpy as np
import torch

TERNARY = ("absmean", "absmedian")
LSQ_BITS = {"lsq4": 4, "lsq8": 8}


def half(x):
    """Rounded to float16, kept in the type of x."""
    return x.float().half().to(x.dtype)


def grouped(w, granularity):
    """A view [n_groups, elements of a group]."""
    return w.reshape(1, -1) if granularity == "tensor" else w.reshape(-1, int(granularity.removeprefix("group")))


def lsq_range(method):
    top = 2 ** (LSQ_BITS[method] - 1)
    return top, top - 1


def lsq_first_step(w, method, granularity):
    return 2 * grouped(w, granularity).abs().mean(1) / math.sqrt(lsq_range(method)[1])


def unrounded_scale(w, method, granularity, step=None):
    """[n_groups], before it becomes a half."""
    a = grouped(w, granularity).abs()
    if method in LSQ_BITS:
        return step
    if method == "sign":
        return a.mean(1)
    return (a.mean(1) if method == "absmean" else a.median(1).values).clamp(min=1e-5)


def quantise(w, method, granularity, step=None):
    """Codes and ratios w / scale shaped as w, scales [n_groups]."""
    g = grouped(w, granularity)
    scale = half(unrounded_scale(w, method, granularity, step))
    ratio = g / scale[:, None]
    if method == "sign":
        codes = torch.where(g > g.mean(1, keepdim=True), 1.0, -1.0).to(w.dtype)
    elif method in TERNARY:
        codes = ratio.round().clamp(-1, 1)
    else:
        below, above = lsq_range(method)
        codes = ratio.clamp(-below, above).round()
    return codes.reshape(w.shape), ratio.reshape(w.shape), scale


def dequantise(codes, scale, granularity):
    return (grouped(codes, granularity) * scale[:, None]).reshape(codes.shape)


def tie_distance(w, method, granularity, step=None):
    """How near a weight comes to where its code (lsq: or its gradient's case) changes, in units of the scale; and how
    near a scale comes to where its half changes, relative to the scale."""
    g = grouped(w, granularity)
    raw = unrounded_scale(w, method, granularity, step)
    scale = half(raw)
    ratio = g / scale[:, None]
    if method == "sign":
        to_code = ((g - g.mean(1, keepdim=True)) / scale[:, None]).abs().min()
    elif method in TERNARY:
        to_code = (ratio.abs() - 0.5).abs().min()
    else:
        below, above = lsq_range(method)
        inside = ratio[(ratio > -below - 0.25) & (ratio < above + 0.25)]
        to_code = torch.minimum(((inside - inside.floor()) - 0.5).abs().min(),
                                torch.minimum((ratio - above).abs().min(), (ratio + below).abs().min()))
    h = scale.detach().float().numpy().astype(np.float16)
    wide = raw.detach().double().numpy()
    middles = [(h.astype(np.float64) + np.nextafter(h, np.float16(end)).astype(np.float64)) / 2 for end in (0, np.inf)]
    to_half = min(float((np.abs(wide - m) / wide).min()) for m in middles)
    return float(to_code), to_half


def quantise_tokens(x, bits):
    """Codes as x, s [..., 1]."""
    top = 2 ** (bits - 1) - 1
    s = top * (1 / x.abs().amax(-1, keepdim=True).clamp(min=1e-5))
    return (x * s).round().clamp(-top - 1, top), s


def token_tie_distance(x, bits):
    top = 2 ** (bits - 1) - 1
    scaled = x * (top * (1 / x.abs().amax(-1, keepdim=True).clamp(min=1e-5)))
    return float(((scaled - scaled.floor()) - 0.5).abs().min())


class StraightThrough(torch.autograd.Function):
    """Exactly `value` forward (w + (value - w) would round); the gradient goes to w, times `mask` where there is one."""

    @staticmethod
    def forward(ctx, w, value, mask):
        ctx.mask = mask
        return value.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient if ctx.mask is None else gradient * ctx.mask, None, None


class LearnedStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, step, method, granularity):
        codes, ratio, scale = quantise(w, method, granularity, step)
        ctx.saved = codes, ratio, method, granularity
        return dequantise(codes, scale, granularity)

    @staticmethod
    def backward(ctx, gradient):
        codes, ratio, method, granularity = ctx.saved
        below, above = lsq_range(method)
        inside = (ratio > -below) & (ratio < above)
        per_element = grouped(gradient * torch.where(inside, codes - ratio, codes), granularity)
        factor = 1 / math.sqrt(per_element.shape[1] * above)
        return gradient * inside, per_element.sum(1) * factor, None, None


def fake_weight(w, method, granularity, step=None, clipped=False):
    if method == "none":
        return w
    if method in LSQ_BITS:
        return LearnedStep.apply(w, step, method, granularity)
    codes, ratio, scale = quantise(w.detach(), method, granularity)
    mask = ~(ratio.abs() > 1) if clipped else None
    return StraightThrough.apply(w, dequantise(codes, scale, granularity), mask)


def fake_tokens(x, bits):
    if bits == 0:
        return x
    codes, s = quantise_tokens(x.detach(), bits)
    return StraightThrough.apply(x, codes / s, None)
