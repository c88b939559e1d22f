#!/usr/bin/env python3
"""Makes the golden vectors of the weight formats: what other people's programs write and read for the same values.

usage: make_formats.py FOLDER_WITH_LIBGGML OUTPUT_FOLDER

FOLDER_WITH_LIBGGML holds libggml-base.so (npm package @node-llama-cpp/linux-x64, folder bins/linux-x64). Nothing of Tern
takes part. Two oracles and one cross-check:
  * libggml-base through ctypes encodes (ggml_quantize_chunk; quantize_row_q8_K_ref for Q8_K, which it does not take) and
    decodes (dequantize_row_*). The library is built for baseline x86-64 and so has no fused multiply-add in it; with
    one, the k-quant encoders give other bytes for the same source.
  * I2_S, which that library does not have, is written out here in numpy from its layout: per 128 values 32 bytes,
    byte p = c[p] << 6 | c[32+p] << 4 | c[64+p] << 2 | c[96+p] with c = sign + 1, and 32 bytes at the end of the tensor:
    the scale as float32, then zeros (or the scale eight times).
  * Per-token int8 is numpy too (float32, ties to even: numpy.rint), repeated with torch, which must agree. (torch spells
    127 / tensor as 127 * (1 / tensor); here the division is a true one. The manifest counts the rows where that matters.)
  * PyPI gguf repeats both directions for the types it knows; rows where it differs are counted in the manifest.

Output:
  inputs.f32           [n_rows, row_length] float32, the rows every format but I2_S is given
  <name>.bin           n_rows encoded rows, then n_foreign rows of random codes with sane scales (to be decoded only)
  i2_s_inputs.f32, I2_S.bin   the ternary tensors of I2_S one after another, and their bytes with tails
  int8_token.bin       n_rows rows of codes, their scales and sums in formats.json (scales as float32 bits)
  formats.json         who made what, and per row the FNV-1a 64 hash of the decoded float32 bytes
"""

import ctypes
import importlib.metadata
import json
import pathlib
import sys

import gguf
import numpy as np
import torch

ROW_LENGTH = 768
N_FOREIGN = 6
SEED = 20261121

# name -> (ggml type id, block values, block bytes, suffix of the library's functions, offsets of fp16 fields in a block)
FORMATS = {
    "F32": (0, 1, 4, None, []),
    "F16": (1, 1, 2, None, []),
    "BF16": (30, 1, 2, None, []),
    "Q8_0": (8, 32, 34, "q8_0", [0]),
    "Q4_0": (2, 32, 18, "q4_0", [0]),
    "Q4_1": (3, 32, 20, "q4_1", [0, 2]),
    "Q5_0": (6, 32, 22, "q5_0", [0]),
    "Q5_1": (7, 32, 24, "q5_1", [0, 2]),
    "Q2_K": (10, 256, 84, "q2_K", [80, 82]),
    "Q3_K": (11, 256, 110, "q3_K", [108]),
    "Q4_K": (12, 256, 144, "q4_K", [0, 2]),
    "Q5_K": (13, 256, 176, "q5_K", [0, 2]),
    "Q6_K": (14, 256, 210, "q6_K", [208]),
    "Q8_K": (15, 256, 292, "q8_K", []),  # float32 scale at 0
    "TQ1_0": (34, 256, 54, "tq1_0", [52]),
    "TQ2_0": (35, 256, 66, "tq2_0", [64]),
    "Q1_0": (41, 128, 18, "q1_0", [0]),
    "Q2_0": (42, 64, 18, "q2_0", [0]),
}


def fnv1a64(data: bytes) -> str:
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def make_rows() -> tuple[list[str], np.ndarray]:
    """Every row has a name; all values are finite, and no scale of any format overflows fp16."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    n = ROW_LENGTH
    rows: list[tuple[str, np.ndarray]] = []

    def add(name, values):
        rows.append((name, np.asarray(values, dtype=np.float64).astype(np.float32)))

    for sigma in (1.0, 1.0, 1.0, 0.02, 0.02, 0.3, 7.5, 150.0):
        add(f"normal, sigma {sigma}", rng.normal(0, sigma, n))
    add("normal, mean 2", rng.normal(2, 1, n))
    add("normal, mean -5", rng.normal(-5, 1, n))
    for df in (1.5, 2, 3, 5):
        add(f"Student t, {df} degrees of freedom", np.clip(rng.standard_t(df, n) * 0.05, -3e4, 3e4))
    for scale in (0.02, 1.0, 3.0):
        add(f"Laplace cubed, scale {scale}", np.clip(rng.laplace(0, scale, n) ** 3, -3e4, 3e4))
    add("uniform", rng.uniform(-1, 1, n))
    add("uniform, 0 to 1", rng.uniform(0, 1, n))
    add("log-uniform magnitudes", np.exp(rng.uniform(-12, 6, n)) * rng.choice([-1, 1], n))

    for value in (1.0, -1.0, 0.1, -0.37, 3e4, -3e4, 1e-30, -5.96e-8):
        add(f"constant {value}", np.full(n, value))
    add("zero", np.zeros(n))
    add("negative zero", np.full(n, -0.0))
    add("every second 256 zero", rng.normal(0, 1, n) * ((np.arange(n) // 256) % 2))
    add("every second 32 zero", rng.normal(0, 1, n) * ((np.arange(n) // 32) % 2))
    add("single non-zero value", np.where(np.arange(n) == 300, -0.75, 0.0))

    for sigma in (1e-35, 1e-30, 1e-20, 1e-14, 1e-9, 6e-8, 3e-7, 1e-6, 1e-5, 1e-4):
        add(f"tiny, sigma {sigma}", rng.normal(0, sigma, n))
    add("huge, sigma 1e4", np.clip(rng.normal(0, 1e4, n), -3e4, 3e4))
    add("huge, uniform to 3e4", rng.uniform(-3e4, 3e4, n))
    add("huge, fp16's last value", rng.choice([-65504.0, 65504.0, 0.0, 1.0], n))

    for scale, zeros in ((1.0, 1 / 3), (0.0371, 1 / 3), (1.2188, 0.42), (2.5e-7, 0.5), (0.5, 0.95)):
        p = (1 - zeros) / 2
        add(f"ternary, scale {scale}, {zeros:.2f} zeros", rng.choice([-scale, 0, scale], n, p=[p, zeros, p]))
    add("binary, scale 0.0625", rng.choice([-0.0625, 0.0625], n))
    add("alternating sign", np.where(np.arange(n) % 2 == 0, 0.8, -0.8))
    add("alternating sign, growing", np.where(np.arange(n) % 2 == 0, 1, -1) * np.linspace(0.01, 3, n))
    add("ramp -1 to 1", np.linspace(-1, 1, n))
    add("ramp 0 to 1", np.linspace(0, 1, n))
    add("ramp 5 to 4", np.linspace(5, 4, n))
    add("sine", np.sin(np.arange(n) * 0.1))
    for outlier in (10.0, -10.0, 3e4):
        row = rng.normal(0, 0.01, n)
        row[rng.integers(0, 256)] = outlier
        row[700] = -outlier
        add(f"outlier {outlier}", row)
    add("all negative", -np.abs(rng.normal(0, 1, n)))
    add("all negative, far from zero", -rng.uniform(3, 4, n))
    add("all positive", np.abs(rng.normal(0, 0.04, n)))
    add("small integers", rng.integers(-8, 8, n))

    # Ties: the block's scale is exact and the values lie half-way between codes.
    def ties(top, low, high, step=0.5):
        row = np.arange(low, high + step, step)
        row = np.resize(row, n).astype(np.float64)
        row[::32] = top
        return row

    add("ties of Q8_0 and Q8_K", ties(127.0, -126.5, 126.5, 1.0))
    add("ties of Q8_K, negative top", ties(-127.0, -126.5, 126.5, 1.0))
    add("ties of Q4_0", ties(-8.0, -7.5, 7.5))
    add("ties of Q5_0", ties(-16.0, -15.5, 15.5))
    row = ties(15.0, 0.0, 14.5)
    row[1::32] = 0.0
    add("ties of Q4_1", row)
    row = ties(31.0, 0.0, 30.5)
    row[1::32] = 0.0
    add("ties of Q5_1", row)
    add("ties of the ternary formats", rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], n))
    add("ties of F16", 1.0 + rng.integers(0, 4096, n) / 2048.0 / 2.0)
    add("ties of BF16", 1.0 + rng.integers(0, 512, n) / 256.0)
    add("ties of subnormal F16", (rng.integers(0, 64, n) + 0.5) * 2.0**-24)
    add("equal magnitudes, both signs", rng.choice([-3.0, 3.0, 1.5, -1.5], n))
    return [name for name, _ in rows], np.stack([values for _, values in rows])


class Ggml:
    """libggml-base through ctypes: rows in, rows out."""

    def __init__(self, folder: pathlib.Path):
        self.lib = ctypes.CDLL(str(folder / "libggml-base.so"))
        lib = self.lib
        lib.ggml_version.restype = ctypes.c_char_p
        lib.ggml_commit.restype = ctypes.c_char_p
        lib.ggml_type_name.restype = ctypes.c_char_p
        lib.ggml_blck_size.restype = ctypes.c_int64
        lib.ggml_type_size.restype = ctypes.c_size_t
        lib.ggml_quantize_chunk.restype = ctypes.c_size_t
        lib.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64,
                                            ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
        for name, (type_id, values, n_bytes, _, _) in FORMATS.items():
            theirs = (lib.ggml_type_name(type_id).decode().upper(), lib.ggml_blck_size(type_id),
                      lib.ggml_type_size(type_id))
            if theirs != (name, values, n_bytes):
                raise SystemExit(f"type {type_id}: expected {name} {values} {n_bytes}, the library says {theirs}")

    def call(self, function: str, source: np.ndarray, out: np.ndarray, n: int):
        entry = getattr(self.lib, function)
        entry.restype = None
        entry.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
        entry(source.ctypes.data, out.ctypes.data, n)

    def encode(self, name: str, rows: np.ndarray) -> np.ndarray:
        type_id, values, n_bytes, suffix, _ = FORMATS[name]
        out = np.zeros((rows.shape[0], ROW_LENGTH // values * n_bytes), dtype=np.uint8)
        if name == "Q8_K":
            self.call("quantize_row_q8_K_ref", rows, out, rows.size)
            return out
        written = self.lib.ggml_quantize_chunk(type_id, rows.ctypes.data, out.ctypes.data, 0, rows.shape[0], ROW_LENGTH,
                                               None)
        assert written == out.size, (name, written, out.size)
        if suffix is not None:  # the same through the other door
            again = np.zeros_like(out)
            self.call(f"quantize_row_{suffix}_ref", rows, again, rows.size)
            assert np.array_equal(out, again), f"{name}: ggml_quantize_chunk and the row function differ"
        return out

    def decode(self, name: str, encoded: np.ndarray) -> np.ndarray:
        out = np.zeros((encoded.shape[0], ROW_LENGTH), dtype=np.float32)
        if name == "F32":
            return encoded.view(np.float32).copy()
        if name == "F16":
            convert = self.lib.ggml_fp16_to_fp32_row
            convert.restype = None
            convert.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
            convert(encoded.ctypes.data, out.ctypes.data, out.size)
        elif name == "BF16":
            self.call("ggml_bf16_to_fp32_row", encoded, out, out.size)
        else:
            self.call(f"dequantize_row_{FORMATS[name][3]}", encoded, out, out.size)
        return out


def foreign_rows(name: str, rng: np.random.Generator) -> np.ndarray:
    """Random codes, including those the encoder never writes, with finite scales of every size and both signs."""
    _, values, n_bytes, _, fields = FORMATS[name]
    blocks = rng.integers(0, 256, (N_FOREIGN * ROW_LENGTH // values, n_bytes), dtype=np.uint8)
    if name in ("F16", "BF16", "F32"):
        kind = {"F16": np.uint16, "BF16": np.uint16, "F32": np.uint32}[name]
        bits = blocks.view(kind)
        exponent = {"F16": 0x7C00, "BF16": 0x7F80, "F32": 0x7F800000}[name]
        lowest = {"F16": 0x0400, "BF16": 0x0080, "F32": 0x00800000}[name]
        bits[(bits & exponent) == exponent] ^= kind(lowest)
    for offset in fields:
        scales = rng.integers(0, 65536, len(blocks)).astype(np.uint16)
        scales[(scales & 0x7C00) == 0x7C00] ^= np.uint16(0x4000)
        blocks[:, offset : offset + 2] = scales.view(np.uint8).reshape(-1, 2)
    if name == "Q8_K":
        blocks[:, :4] = rng.normal(0, 1, len(blocks)).astype(np.float32).view(np.uint8).reshape(-1, 4)
    return np.ascontiguousarray(blocks.reshape(N_FOREIGN, -1))


def cross_check(name: str, rows, encoded, all_encoded, all_decoded) -> dict:
    """What PyPI gguf says: number of rows on which it agrees bit for bit."""
    result = {}
    try:
        kind = gguf.GGMLQuantizationType[name]
    except KeyError:
        return {"gguf": "does not know this type"}
    try:
        theirs = gguf.quants.quantize(rows, kind).view(np.uint8).reshape(encoded.shape)
        result["encode_rows_equal"] = int((theirs == encoded).all(axis=1).sum())
        result["encode_rows_different"] = [int(i) for i in np.nonzero((theirs != encoded).any(axis=1))[0]]
    except NotImplementedError:
        result["encode"] = "not implemented"
    try:
        typed = all_encoded
        if name == "F32":
            typed = all_encoded.view(np.float32)
        elif name == "F16":
            typed = all_encoded.view(np.float16)
        theirs = np.ascontiguousarray(gguf.quants.dequantize(typed, kind)).astype(np.float32)
        same = theirs.view(np.uint32) == all_decoded.view(np.uint32)
        result["decode_rows_equal"] = int(same.all(axis=1).sum())
        result["decode_rows_different"] = [int(i) for i in np.nonzero(~same.all(axis=1))[0]]
    except (NotImplementedError, KeyError):
        result["decode"] = "not implemented"
    return result


def i2_s_tensors() -> list[dict]:
    rng = np.random.Generator(np.random.PCG64(SEED + 1))
    cases = [(128, 1, 1.0, "zeros"), (256, 3, 0.0371, "zeros"), (384, 2, 1.21875, "repeated"), (768, 2, 1e-30, "zeros"),
             (768, 1, 3e38, "zeros"), (128, 2, 0.0, "zeros"), (640, 2, 0.1, "repeated"), (256, 2, 1e-40, "zeros")]
    tensors = []
    for row_length, n_rows, scale, tail in cases:
        scale = np.float32(scale)
        trits = rng.integers(-1, 2, (n_rows, row_length))
        if scale == 0:
            trits[:] = 0
        values = (trits.astype(np.float32) * scale).astype(np.float32)
        values[:, 5] = np.float32(-0.0)
        trits[:, 5] = 0
        codes = (trits + 1).astype(np.uint8).reshape(-1, 4, 32)
        packed = codes[:, 0] << 6 | codes[:, 1] << 4 | codes[:, 2] << 2 | codes[:, 3]
        floats = np.zeros(8, dtype=np.float32)
        floats[: 8 if tail == "repeated" else 1] = scale
        encoded = packed.astype(np.uint8).tobytes() + floats.tobytes()
        decoded = (trits.astype(np.float32) * scale + np.float32(0.0)).astype(np.float32)  # + 0: no negative zeros
        tensors.append({"row_length": row_length, "n_rows": n_rows, "scale": float(scale), "tail": tail,
                        "values": values, "bytes": encoded, "decoded": fnv1a64(decoded.tobytes())})
    return tensors


def int8_tokens(rows: np.ndarray) -> tuple[np.ndarray, dict]:
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.float32(1e-5))
    # PyTorch computes `127 / tensor` as 127 * (1 / tensor), rounding the reciprocal first.
    scales = np.float32(127) * (np.float32(1) / largest)
    codes = np.clip(np.rint(rows * scales), -128, 127).astype(np.int8)
    x = torch.from_numpy(rows)
    torch_scales = 127 / x.abs().max(dim=-1, keepdim=True).values.clamp_(min=1e-5)
    torch_codes = (x * torch_scales).round().clamp(-128, 127).to(torch.int8)
    assert np.array_equal(torch_codes.numpy(), codes) and np.array_equal(torch_scales.numpy(), scales)
    return codes, {"oracle": "numpy and torch, equal",
                   "scale_bits": [int(b) for b in scales.view(np.uint32).ravel()],
                   "sums": [int(s) for s in codes.astype(np.int64).sum(axis=1)]}


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    library = Ggml(pathlib.Path(sys.argv[1]))
    out = pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    names, rows = make_rows()
    assert np.isfinite(rows).all()
    (out / "inputs.f32").write_bytes(rows.tobytes())
    rng = np.random.Generator(np.random.PCG64(SEED + 2))
    version = f"libggml-base {library.lib.ggml_version().decode()} ({library.lib.ggml_commit().decode()}), npm package " \
              "@node-llama-cpp/linux-x64"
    package_file = next((p / "package.json" for p in pathlib.Path(sys.argv[1]).resolve().parents
                         if (p / "package.json").is_file()), None)
    if package_file is not None:
        version += " " + json.loads(package_file.read_text())["version"]
    manifest = {
        "made_by": "tests/golden/make/make_formats.py",
        "versions": {"libggml": version, "gguf": importlib.metadata.version("gguf"), "numpy": np.__version__,
                     "torch": torch.__version__},
        "row_length": ROW_LENGTH,
        "n_rows": len(rows),
        "n_foreign": N_FOREIGN,
        "row_names": names,
        "formats": {},
    }
    for name, (type_id, values, n_bytes, _, _) in FORMATS.items():
        encoded = library.encode(name, rows)
        both = np.ascontiguousarray(np.concatenate([encoded, foreign_rows(name, rng)]))
        decoded = library.decode(name, both)
        (out / f"{name}.bin").write_bytes(both.tobytes())
        manifest["formats"][name] = {
            "oracle": "libggml",
            "gguf_id": type_id,
            "block_values": values,
            "block_bytes": n_bytes,
            "decoded_fnv1a64": [fnv1a64(row.tobytes()) for row in decoded],
            "cross_check_with_gguf": cross_check(name, rows, encoded, both, decoded),
        }
        print(name, json.dumps(manifest["formats"][name]["cross_check_with_gguf"]))
    tensors = i2_s_tensors()
    (out / "i2_s_inputs.f32").write_bytes(b"".join(t.pop("values").tobytes() for t in tensors))
    (out / "I2_S.bin").write_bytes(b"".join(t.pop("bytes") for t in tensors))
    manifest["formats"]["I2_S"] = {"oracle": "numpy, from the layout in this script's head", "gguf_id": 36,
                                   "tensors": tensors}
    codes, manifest["int8_token"] = int8_tokens(rows)
    (out / "int8_token.bin").write_bytes(codes.tobytes())
    (out / "formats.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
