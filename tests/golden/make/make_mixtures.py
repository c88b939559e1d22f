#!/usr/bin/env python3
"""Makes data/mixtures.json: the type that llama_model_quantize gives each tensor, and a hash of the bytes it writes.

usage: make_mixtures.py FOLDER_WITH_LIBLLAMA OUTPUT_JSON NAME=FILE.gguf...

FOLDER_WITH_LIBLLAMA: see libllama.py. The files are F32 models of Tern's own (`tern convert SOURCE --outtype f32`), named as
the test names them. Beside them stand synthetic models, which SYNTHETIC lists and synthetic() makes; the test makes the same
ones. llama_model_quantize reads hyper-parameters and tensors, no vocabulary, so such a model needs neither words nor sense.

A synthetic model has, in each layer, the seven matrices of a llama and one norm. Value i of tensor t (both from 0; tensors in the
order of the file) is a hash of the two, see values(). All matrices have rows of `width` values.

In the output each mixture of a model is [hash, {role: letters}]: the first 16 hexadecimal digits of the SHA-256 over the
bytes of all tensors in order of (layer, name), and the types that differ from the mixture's own type, one letter a layer, or one
for all layers. "refused" stands where the library refuses.
"""

import argparse
import ctypes
import hashlib
import json
import pathlib
import re
import struct
import tempfile

import numpy as np

import libllama

_p, _i32, _bool = ctypes.c_void_p, ctypes.c_int32, ctypes.c_bool

# Name: (number of the file type, name of the tensor type it is made of).
MIXTURES = {"F32": (0, "F32"), "F16": (1, "F16"), "BF16": (32, "BF16"), "Q4_0": (2, "Q4_0"), "Q4_1": (3, "Q4_1"),
            "Q5_0": (8, "Q5_0"), "Q5_1": (9, "Q5_1"), "Q8_0": (7, "Q8_0"), "Q2_K": (10, "Q2_K"), "Q2_K_S": (21, "Q2_K"),
            "Q3_K_S": (11, "Q3_K"), "Q3_K_M": (12, "Q3_K"), "Q3_K_L": (13, "Q3_K"), "Q4_K_S": (14, "Q4_K"),
            "Q4_K_M": (15, "Q4_K"), "Q5_K_S": (16, "Q5_K"), "Q5_K_M": (17, "Q5_K"), "Q6_K": (18, "Q6_K"),
            "TQ1_0": (36, "TQ1_0"), "TQ2_0": (37, "TQ2_0"), "Q1_0": (40, "Q1_0"), "Q2_0": (41, "Q2_0")}
LAYERED = ["Q2_K", "Q3_K_M", "Q4_K_S", "Q4_K_M", "Q5_K_M"]  # those whose choice depends on the layer or the heads

# Number of the tensor type: (name, letter, values a block, bytes a block).
TYPES = {0: ("F32", "F", 1, 4), 1: ("F16", "H", 1, 2), 30: ("BF16", "B", 1, 2), 8: ("Q8_0", "8", 32, 34),
         14: ("Q6_K", "6", 256, 210), 13: ("Q5_K", "5", 256, 176), 12: ("Q4_K", "4", 256, 144),
         11: ("Q3_K", "3", 256, 110), 10: ("Q2_K", "2", 256, 84), 2: ("Q4_0", "a", 32, 18), 3: ("Q4_1", "b", 32, 20),
         6: ("Q5_0", "c", 32, 22), 7: ("Q5_1", "d", 32, 24), 34: ("TQ1_0", "t", 256, 54), 35: ("TQ2_0", "T", 256, 66),
         41: ("Q1_0", "q", 128, 18), 42: ("Q2_0", "Q", 64, 18)}
NUMBER = {name: number for number, (name, *_) in TYPES.items()}
N_TYPES = 43

PER_LAYER = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]


def model(layers, kv_heads=8, width=256, experts=0, architecture="llama", tied=False, vocab=5, rows=2):
    return {"architecture": architecture, "layers": layers, "kv_heads": kv_heads, "width": width, "experts": experts,
            "tied": tied, "vocab": vocab, "rows": rows}


# Heads are 8 throughout. "all": every mixture; otherwise only LAYERED.
SYNTHETIC = {f"layers-{n}": (model(n, tied=n % 2 == 1), n in (1, 16, 25)) for n in range(1, 41)}
SYNTHETIC |= {f"layers-{n}-kv-{kv}": (model(n, kv), n == 9) for n in (2, 9, 32) for kv in (4, 2, 1)}
SYNTHETIC |= {f"layers-80-kv-{kv}{'' if a == 'llama' else '-' + a}": (model(80, kv, architecture=a), a == "llama")
              for kv in (8, 1) for a in ("llama", "qwen2", "qwen3")}
SYNTHETIC |= {f"layers-17-experts-{n}": (model(17, 2, experts=n), True) for n in (2, 8)}
SYNTHETIC |= {f"layers-17-{a}": (model(17, 4, architecture=a, rows=6), True)  # 6: see formats/foreign.cpp, TL2 and Q2_0
              for a in ("falcon", "bitnet", "qwen2", "qwen3", "gemma3")}
SYNTHETIC |= {f"width-{w}{'-tied' if tied else ''}": (model(8, 2, width=w, tied=tied), True)
              for w in (64, 96, 128, 48) for tied in (False, True)}

# What options do: (model, mixture, options).
OPTIONS = {
    "first of two patterns": ("layers-9-kv-2", "Q4_K_M", {"tensor_types": [["ffn_down", "Q8_0"], ["blk.0.ffn", "Q5_0"]]}),
    "a pattern takes its layer out of the count": ("layers-16", "Q4_K_M", {"tensor_types": [["blk\\.0\\.ffn_down", "Q4_0"]]}),
    "so does one for the values": ("layers-16", "Q3_K_M", {"tensor_types": [["blk\\.(0|3)\\.attn_v", "F16"]]}),
    "a pattern for the tied table": ("layers-9", "Q4_K_M", {"tensor_types": [["token_embd", "Q5_1"]], "output": "Q8_0"}),
    "a pattern against pure": ("layers-16", "Q5_K_M", {"tensor_types": [["attn_(q|k)", "Q8_0"]], "pure": True}),
    "a pattern that does not divide": ("width-96", "Q8_0", {"tensor_types": [["ffn_up", "Q4_K"], ["ffn_down", "Q6_K"]]}),
    "a pattern for norms": ("layers-2-kv-4", "Q4_0", {"tensor_types": [["norm", "Q8_0"], ["$^", "Q4_1"]]}),
    "a pattern for the head": ("layers-16", "Q2_K", {"tensor_types": [["^output\\.weight$", "Q3_K"]]}),
    "output type, own head": ("layers-16", "Q4_K_M", {"output": "Q5_0"}),
    "output type, tied": ("layers-9", "Q4_K_M", {"output": "Q5_0"}),
    "output type and pure, tied": ("layers-9", "Q4_K_M", {"output": "Q5_0", "pure": True}),
    "output type and a pattern, own head": ("layers-16", "Q4_K_M", {"output": "Q5_0", "tensor_types": [["output", "F16"]]}),
    "embedding type, own head": ("layers-16", "Q4_K_M", {"embedding": "Q5_0"}),
    "embedding type and output type, tied": ("layers-9", "Q3_K_L", {"embedding": "Q2_K", "output": "Q8_0"}),
    "embedding type and pure": ("layers-16", "Q3_K_L", {"embedding": "F16", "pure": True}),
    "embedding type of a float file": ("layers-16", "F16", {"embedding": "Q8_0", "output": "Q6_K"}),
    "leave the head": ("layers-16", "Q4_K_M", {"leave_output": True}),
    "leave the head, tied": ("layers-9", "Q4_K_M", {"leave_output": True}),
    "leave the head and give it a type": ("layers-16", "Q4_K_M", {"leave_output": True, "output": "Q8_0"}),
    "pure": ("layers-16", "Q4_K_M", {"pure": True}),
    "pure, tied": ("layers-9", "Q3_K_S", {"pure": True}),
    "pure Q2_K_S": ("layers-16", "Q2_K_S", {"pure": True}),
    "Q2_K_S with nothing left in Q2_K": ("layers-16", "Q2_K_S", {"tensor_types": [["blk", "Q3_K"]]}),
    "another number of layers": ("layers-16", "Q4_K_M", {"override": {"llama.block_count": 32}}),
    "another number of key heads": ("layers-16", "Q2_K", {"override": {"llama.attention.head_count_kv": 2}}),
    "copy": ("layers-9", "COPY", {}),
    # In parts the tensors stand from the last to the first, so that a walk by layers and one by places differ.
    "three parts into one": ("layers-16", "Q3_K_M", {"parts": 3}),
    "three parts into three": ("layers-16", "Q3_K_M", {"parts": 3, "keep_split": True}),
    "one part that keeps its split": ("layers-16", "Q4_K_M", {"keep_split": True}),
}


class QuantizeParams(ctypes.Structure):
    _fields_ = [("nthread", _i32), ("ftype", _i32), ("output_tensor_type", _i32), ("token_embedding_type", _i32),
                ("allow_requantize", _bool), ("quantize_output_tensor", _bool), ("only_copy", _bool), ("pure", _bool),
                ("keep_split", _bool), ("dry_run", _bool), ("imatrix", _p), ("kv_overrides", _p), ("tt_overrides", _p),
                ("prune_layers", _p)]


class TensorOverride(ctypes.Structure):
    _fields_ = [("pattern", ctypes.c_char_p), ("type", _i32)]


class KeyOverride(ctypes.Structure):
    _fields_ = [("tag", _i32), ("key", ctypes.c_char * 128), ("value", ctypes.c_int64), ("rest", ctypes.c_char * 120)]


DEFAULTS = {"nthread": 0, "ftype": 7, "output_tensor_type": N_TYPES, "token_embedding_type": N_TYPES,
            "allow_requantize": False, "quantize_output_tensor": True, "only_copy": False, "pure": False,
            "keep_split": False, "dry_run": False, "imatrix": None, "kv_overrides": None, "tt_overrides": None,
            "prune_layers": None}


def values(tensor, n):
    """n float32 values between -1/2 and 1/2, each exact in 24 bits."""
    x = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32((tensor + 1) * 0x85EBCA77 & 0xFFFFFFFF)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x2C1B3C6D)
    x ^= x >> np.uint32(12)
    return ((x >> np.uint32(8)).astype(np.int32) - (1 << 23)).astype(np.float32) / np.float32(1 << 24)


def tensors_of(m):
    """(name, extents) in the order of the file."""
    matrix = [m["width"], m["rows"]]
    out = [("token_embd.weight", [m["width"], m["vocab"]])]
    for layer in range(m["layers"]):
        for role in PER_LAYER:
            if m["experts"] and role.startswith("ffn"):
                out.append((f"blk.{layer}.{role}_exps.weight", matrix + [m["experts"]]))
            else:
                out.append((f"blk.{layer}.{role}.weight", matrix))
        if m["experts"]:
            out.append((f"blk.{layer}.ffn_gate_inp.weight", [m["width"], m["experts"]]))
        out.append((f"blk.{layer}.attn_norm.weight", [m["width"]]))
    out.append(("output_norm.weight", [m["width"]]))
    if not m["tied"]:
        out.append(("output.weight", [m["width"], m["vocab"]]))
    return out


def keys_of(m):
    a, head_dim = m["architecture"], m["width"] // 8
    return {"general.architecture": a, f"{a}.vocab_size": m["vocab"], f"{a}.context_length": 64,
            f"{a}.embedding_length": m["width"], f"{a}.block_count": m["layers"], f"{a}.feed_forward_length": m["width"],
            f"{a}.attention.head_count": 8, f"{a}.attention.head_count_kv": m["kv_heads"],
            f"{a}.attention.key_length": head_dim, f"{a}.attention.value_length": head_dim,
            f"{a}.rope.dimension_count": head_dim, f"{a}.attention.layer_norm_rms_epsilon": 1e-5,
            f"{a}.attention.layer_norm_epsilon": 1e-5, f"{a}.expert_count": m["experts"],
            f"{a}.expert_used_count": min(2, m["experts"])}


def part_path(path, part, n_parts):
    return path.with_name(f"{path.stem}-{part + 1:05}-of-{n_parts:05}.gguf")


def synthetic(m, path, n_parts=1):
    """Writes the model; in parts, the last tensor first, ceil(n / n_parts) tensors a part."""
    def text(s):
        return struct.pack("<Q", len(s)) + s.encode()

    def value(v):
        return (struct.pack("<I", 8) + text(v) if isinstance(v, str) else
                struct.pack("<If", 6, v) if isinstance(v, float) else struct.pack("<II", 4, v))

    tensors = list(enumerate(tensors_of(m)))
    if n_parts > 1:
        tensors.reverse()
    per_part = -(-len(tensors) // n_parts)
    for part in range(n_parts):
        keys = [text(k) + value(v) for k, v in keys_of(m).items()] if part == 0 else []
        if n_parts > 1:
            keys += [text("split.no") + struct.pack("<IH", 2, part), text("split.count") + struct.pack("<IH", 2, n_parts),
                     text("split.tensors.count") + struct.pack("<Ii", 5, len(tensors))]
        infos, data, mine = b"", b"", tensors[part * per_part:(part + 1) * per_part]
        for t, (name, extents) in mine:
            infos += text(name) + struct.pack(f"<I{len(extents)}QIQ", len(extents), *extents, 0, len(data))
            data += values(t, int(np.prod(extents))).tobytes()
            data += bytes(-len(data) % 32)
        header = b"GGUF" + struct.pack("<IQQ", 3, len(mine), len(keys)) + b"".join(keys) + infos
        (path if n_parts == 1 else part_path(path, part, n_parts)).write_bytes(header + bytes(-len(header) % 32) + data)


class Reader:
    """Names, types, extents and bytes of a GGUF file, through libggml."""

    class InitParams(ctypes.Structure):
        _fields_ = [("no_alloc", _bool), ("ctx", _p)]

    def __init__(self, base, path):
        for name, result, arguments in (("gguf_init_from_file", _p, [ctypes.c_char_p, self.InitParams]),
                                        ("gguf_get_data_offset", ctypes.c_size_t, [_p]), ("gguf_free", None, [_p]),
                                        ("gguf_get_n_tensors", ctypes.c_int64, [_p]),
                                        ("gguf_get_tensor_name", ctypes.c_char_p, [_p, ctypes.c_int64]),
                                        ("gguf_get_tensor_type", ctypes.c_int, [_p, ctypes.c_int64]),
                                        ("gguf_get_tensor_offset", ctypes.c_size_t, [_p, ctypes.c_int64]),
                                        ("gguf_get_tensor_size", ctypes.c_size_t, [_p, ctypes.c_int64]),
                                        ("gguf_find_key", ctypes.c_int64, [_p, ctypes.c_char_p]),
                                        ("gguf_get_val_u32", ctypes.c_uint32, [_p, ctypes.c_int64])):
            function = getattr(base, name)
            function.restype, function.argtypes = result, arguments
        handle = base.gguf_init_from_file(str(path).encode(), self.InitParams(True, None))
        if not handle:
            raise SystemExit(f"{path}: libggml does not read this file")
        whole, start = path.read_bytes(), base.gguf_get_data_offset(handle)
        self.tensors = {}
        for i in range(base.gguf_get_n_tensors(handle)):
            at = start + base.gguf_get_tensor_offset(handle, i)
            self.tensors[base.gguf_get_tensor_name(handle, i).decode()] = (
                base.gguf_get_tensor_type(handle, i), whole[at:at + base.gguf_get_tensor_size(handle, i)])
        key = base.gguf_find_key(handle, b"general.file_type")
        self.file_type = base.gguf_get_val_u32(handle, key) if key >= 0 else None
        key = base.gguf_find_key(handle, b"general.quantization_version")
        self.version = base.gguf_get_val_u32(handle, key) if key >= 0 else None
        base.gguf_free(handle)


def place(name):
    match = re.match(r"blk\.(\d+)\.", name)
    return (int(match[1]) if match else -1, name.encode())


def quantize(llama, source, target, mixture, options):
    """The file written, or None where the library refuses."""
    params = llama.llama.llama_model_quantize_default_params()
    params.nthread = 1
    params.only_copy = mixture == "COPY"
    params.ftype = 0 if mixture == "COPY" else MIXTURES[mixture][0]
    params.pure = options.get("pure", False)
    params.quantize_output_tensor = not options.get("leave_output", False)
    if "output" in options:
        params.output_tensor_type = NUMBER[options["output"]]
    if "embedding" in options:
        params.token_embedding_type = NUMBER[options["embedding"]]
    n_parts, keeps = options.get("parts", 1), options.get("keep_split", False)
    params.keep_split = keeps
    if n_parts > 1:
        source = part_path(source, 0, n_parts)
    types = options.get("tensor_types", [])
    patterns = (TensorOverride * (len(types) + 1))(*[TensorOverride(p.encode(), NUMBER[t]) for p, t in types],
                                                   TensorOverride(None, N_TYPES))
    keys = options.get("override", {})
    overrides = (KeyOverride * (len(keys) + 1))(*[KeyOverride(0, k.encode(), v, b"") for k, v in keys.items()])
    params.tt_overrides = ctypes.cast(patterns, _p) if types else None
    params.kv_overrides = ctypes.cast(overrides, _p) if keys else None
    target.unlink(missing_ok=True)
    # With keep_split the library takes the name without its ending.
    name = str(target.with_suffix("") if keeps else target)
    if llama.llama.llama_model_quantize(str(source).encode(), name.encode(), ctypes.byref(params)) != 0:
        return None
    if not keeps:
        return Reader(llama.base, target)
    made = Reader(llama.base, part_path(target, 0, n_parts))
    for part in range(1, n_parts):
        made.tensors |= Reader(llama.base, part_path(target, part, n_parts)).tensors
    return made


def summary(made, mixture):
    """[hash, {role: letters}] of a file written."""
    if made is None:
        return "refused"
    expected = {"COPY": None, "F32": 0}.get(mixture, MIXTURES.get(mixture, (0,))[0])
    if mixture != "COPY" and made.file_type != expected or made.version != 2:
        raise SystemExit(f"{mixture}: the library wrote file type {made.file_type}, version {made.version}")
    own = "F32" if mixture == "COPY" else MIXTURES[mixture][1]
    digest, roles = hashlib.sha256(), {}
    for name in sorted(made.tensors, key=place):
        number, data = made.tensors[name]
        digest.update(data)
        roles.setdefault(re.sub(r"^blk\.\d+\.", "", name), []).append(TYPES[number][1])
    kept = {}
    for role, letters in roles.items():
        usual = TYPES[NUMBER["F32" if role.endswith(("norm.weight", ".bias")) else own]][1]
        word = letters[0] if len(set(letters)) == 1 else "".join(letters)
        if word != usual:
            kept[role] = word
    return [digest.hexdigest()[:16], kept]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("files", nargs="*", help="NAME=FILE.gguf")
    parser.add_argument("--backend", default="haswell")
    parser.add_argument("--loud", action="store_true", help="let the library speak")
    args = parser.parse_args()

    llama = libllama.Libllama(args.folder, args.backend, quiet=not args.loud)
    function = llama.llama.llama_model_quantize_default_params
    function.restype = QuantizeParams
    llama.llama.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, _p]
    llama.llama.llama_model_quantize.restype = ctypes.c_uint32
    for field, value in DEFAULTS.items():
        if getattr(function(), field) != value:
            raise SystemExit(f"QuantizeParams.{field}: expected the default {value}: this build has another layout")

    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder) / "source.gguf", pathlib.Path(folder) / "target.gguf"
        made = {"synthetic": {}, "files": {}, "options": {}}
        for name, (m, everything) in SYNTHETIC.items():
            synthetic(m, source)
            made["synthetic"][name] = {"model": m, "mixtures": {
                mixture: summary(quantize(llama, source, target, mixture, {}), mixture)
                for mixture in (MIXTURES if everything else LAYERED)}}
            print(name, flush=True)
        for name, (base, mixture, options) in OPTIONS.items():
            synthetic(SYNTHETIC[base][0], source, options.get("parts", 1))
            made["options"][name] = {"model": base, "mixture": mixture, "options": options,
                                     "result": summary(quantize(llama, source, target, mixture, options), mixture)}
            print(name, flush=True)
        for entry in args.files:
            name, path = entry.split("=", 1)
            made["files"][name] = {mixture: summary(quantize(llama, pathlib.Path(path), target, mixture, {}), mixture)
                                   for mixture in MIXTURES}
            print(name, flush=True)
    head = {"made_by": "tests/golden/make/make_mixtures.py", "library": llama.version,
            "package": "npm @node-llama-cpp/linux-x64", "letters": {letter: name for name, letter, *_ in TYPES.values()},
            "mixtures": {name: {"file_type": number, "type": own} for name, (number, own) in MIXTURES.items()}}

    def lines(table):
        return "{\n" + ",\n".join(f'  {json.dumps(k)}: {json.dumps(v, separators=(",", ":"))}' for k, v in table.items()) + "\n }"

    args.output.write_text("{\n" + ",\n".join(
        [f' {json.dumps(k)}: {json.dumps(v)}' for k, v in head.items()] + [f' "{k}": {lines(v)}' for k, v in made.items()]) + "\n}\n")


if __name__ == "__main__":
    main()
