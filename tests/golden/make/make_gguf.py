#!/usr/bin/env python3
"""Makes tests/golden/data/gguf: small GGUF files written by the PyPI package `gguf`, and expected.json with every value.

Usage: make_gguf.py OUTPUT_FOLDER        (needs: pip install gguf numpy)

The package writes version 3 only; version 2 has the same layout, so those files get their version number changed.
expected.json holds what was handed to the package (metadata) and what its own reader says of the result (tensors).
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, quants

T = GGUFValueType
NAMES = {
    T.UINT8: "uint8", T.INT8: "int8", T.UINT16: "uint16", T.INT16: "int16", T.UINT32: "uint32", T.INT32: "int32",
    T.FLOAT32: "float32", T.BOOL: "boolean", T.STRING: "string", T.UINT64: "uint64", T.INT64: "int64",
    T.FLOAT64: "float64",
}


def f32(value):
    return float(np.float32(value))


SCALARS = [
    ("t.u8", T.UINT8, 255), ("t.i8", T.INT8, -128), ("t.u16", T.UINT16, 65535), ("t.i16", T.INT16, -32768),
    ("t.u32", T.UINT32, 4294967295), ("t.i32", T.INT32, -2147483648), ("t.f32", T.FLOAT32, f32(-0.1)),
    ("t.true", T.BOOL, True), ("t.false", T.BOOL, False), ("t.string", T.STRING, "two words, ümläut, 🦜, \n newline"),
    ("t.empty_string", T.STRING, ""), ("t.u64", T.UINT64, 2**64 - 1), ("t.i64", T.INT64, -(2**63)),
    ("t.f64", T.FLOAT64, 0.1), ("t.f64_large", T.FLOAT64, 1e300), ("t.f32_tiny", T.FLOAT32, f32(1e-45)),
]
ARRAYS = [
    ("a.u8", T.UINT8, [0, 1, 255]), ("a.i8", T.INT8, [-128, 0, 127]), ("a.u16", T.UINT16, [0, 65535]),
    ("a.i16", T.INT16, [-32768, 32767]), ("a.u32", T.UINT32, [0, 4294967295, 7]), ("a.i32", T.INT32, [-5, 5]),
    ("a.f32", T.FLOAT32, [f32(1.5), f32(-0.3), f32(3e38)]), ("a.bool", T.BOOL, [True, False, True, True]),
    ("a.string", T.STRING, ["a", "", "longer text", "Ünï"]), ("a.u64", T.UINT64, [2**64 - 1, 0]),
    ("a.i64", T.INT64, [-(2**63), 2**63 - 1]), ("a.f64", T.FLOAT64, [1e-300, 2.5]),
]
NESTED = ("a.nested", [[1, 2, 3], [4], [5, 6]])  # arrays of int32, as the package types Python integers


def metadata(writer, expected):
    for key, kind, value in SCALARS:
        writer.add_key_value(key, value, kind)
        expected.append({"key": key, "type": NAMES[kind], "value": value})
    for key, kind, values in ARRAYS:
        writer.add_key_value(key, values, T.ARRAY, sub_type=kind)
        expected.append({"key": key, "type": "array", "element": NAMES[kind], "value": values})
    key, values = NESTED
    writer.add_key_value(key, values, T.ARRAY)
    expected.append({"key": key, "type": "array", "element": "array", "value": values, "inner": "int32"})


def tensors(writer, rng):
    Q = GGMLQuantizationType
    for name, kind, shape in [
        ("norm.weight", Q.F32, (5,)), ("half.weight", Q.F16, (3, 7)), ("brain.weight", Q.BF16, (2, 9)),
        ("blk.0.q8_0.weight", Q.Q8_0, (3, 64)), ("blk.0.q4_0.weight", Q.Q4_0, (2, 96)),
        ("blk.0.q5_1.weight", Q.Q5_1, (1, 32)), ("blk.0.tq2_0.weight", Q.TQ2_0, (2, 256)),
        ("blk.0.tq1_0.weight", Q.TQ1_0, (1, 512)), ("cube.weight", Q.F32, (2, 3, 4)), ("four.weight", Q.F32, (2, 1, 2, 3)),
    ]:
        values = rng.standard_normal(shape).astype(np.float32)
        if kind == Q.F32:
            writer.add_tensor(name, values)
        elif kind == Q.F16:
            writer.add_tensor(name, values.astype(np.float16))
        else:
            writer.add_tensor(name, quants.quantize(values, kind), raw_dtype=kind)


def make(folder, name, alignment, version, with_metadata, with_tensors):
    path = folder / f"{name}.gguf"
    writer = GGUFWriter(path, "golden")
    expected = [{"key": "general.architecture", "type": "string", "value": "golden"}]
    if alignment is not None:
        writer.add_custom_alignment(alignment)
        expected.append({"key": "general.alignment", "type": "uint32", "value": alignment})
    if with_metadata:
        metadata(writer, expected)
    if with_tensors:
        tensors(writer, np.random.default_rng(alignment or 1))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    read = GGUFReader(path)
    rows = []
    for tensor in read.tensors:
        rows.append({
            "name": tensor.name, "type": int(tensor.tensor_type), "type_name": tensor.tensor_type.name,
            "shape": [int(n) for n in tensor.shape], "offset": int(tensor.data_offset), "n_bytes": int(tensor.n_bytes),
            "hex": tensor.data.tobytes().hex(),
        })
    if version != 3:
        data = bytearray(path.read_bytes())
        data[4:8] = struct.pack("<I", version)
        path.write_bytes(data)
    return {"file": path.name, "version": version, "alignment": alignment or 32, "metadata": expected, "tensors": rows}


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    files = [
        make(folder, "every_type_v3", None, 3, True, True),
        make(folder, "every_type_v2", None, 2, True, True),
        make(folder, "align_8", 8, 3, False, True),
        make(folder, "align_64", 64, 3, False, True),
        make(folder, "align_4096_v2", 4096, 2, False, True),
        make(folder, "no_tensors", None, 3, True, False),
    ]
    # An element a line keeps differences readable.
    (folder / "expected.json").write_text(json.dumps(files, indent=1, ensure_ascii=True) + "\n")


main()
