#!/usr/bin/env python3
"""Makes the broken files of tests/bad_files/data and expected.json, which says of each what must be answered.

Usage: make_bad_files.py OUTPUT_FOLDER        (Python's standard library alone)

Each case is a correct small file (or folder) with one thing wrong; a few are odd but in truth valid (code "ok").
expected.json lists {file, kind, code, message}: `message` is a part of the one line that refuses it. PyTorch's cases,
models and vocabularies in GGUF, tokenizers and Hugging Face folders stand in modules of their own beside this one. What
is too large to be kept is made by the tests themselves.
"""
import json
import struct
import sys
from pathlib import Path

import make_bad_folders
import make_bad_models
import make_bad_pytorch
import make_bad_tokenizers

CASES = []


def case(file, kind, code, message, data):
    CASES.append((file, kind, code, message, data))


# --- GGUF ------------------------------------------------------------------------------------------------------------
U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
PACK = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}
TYPE_F32, TYPE_F16, TYPE_Q8_0 = 0, 1, 8


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(value)) + value


def pair(key, kind, value):
    body = text(value) if kind == STRING else struct.pack("<" + PACK[kind], value)
    return text(key) + struct.pack("<I", kind) + body


def raw_pair(key, kind, body):
    return text(key) + struct.pack("<I", kind) + body


def array(element, n, body):
    return struct.pack("<IQ", element, n) + body


def tensor(name, extents, kind, offset, n_dims=None):
    head = text(name) + struct.pack("<I", len(extents) if n_dims is None else n_dims)
    return head + b"".join(struct.pack("<Q", n % 2**64) for n in extents) + struct.pack("<IQ", kind, offset)


ARCH = pair("general.architecture", STRING, "test")


def gguf(pairs=(ARCH,), tensors=(), data=b"", version=3, n_tensors=None, n_pairs=None, align=32, magic=b"GGUF"):
    head = magic + struct.pack("<IQQ", version, len(tensors) if n_tensors is None else n_tensors,
                               len(pairs) if n_pairs is None else n_pairs)
    out = head + b"".join(pairs) + b"".join(tensors)
    if tensors and align:
        out += b"\0" * (-len(out) % align)
    return out + data


def bad_gguf(file, message, data, code="bad_input"):
    case(f"gguf_{file}.gguf", "gguf", code, message, data)


ONE = tensor("a", [8], TYPE_F32, 0)

bad_gguf("empty", "0 bytes", b"")
bad_gguf("three_bytes", "3 bytes", b"GGU")
bad_gguf("magic_only", "truncated: the version", b"GGUF")
bad_gguf("wrong_magic", "expected \"GGUF\"", gguf(magic=b"GGML"))
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a2146" * 8 + b"\nsize 12345\n"
bad_gguf("html_error_page", "is an HTML page, not the file itself", b"<!DOCTYPE html><html><body>404 Not Found</body></html>")
bad_gguf("html_page_in_capitals", "is an HTML page", b"\n\n  <HTML lang=en><title>Log in</title>")
bad_gguf("git_lfs_pointer", "is a Git LFS pointer, not the file itself: run git lfs pull", LFS_POINTER)
bad_gguf("gzip", "is compressed by gzip", b"\x1f\x8b\x08\0" + bytes(32))
bad_gguf("xml_error", "is an XML document", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')
bad_gguf("version_1", "version 1, expected 2 or 3", gguf(version=1), "unsupported")
bad_gguf("version_0", "version 0", gguf(version=0), "unsupported")
bad_gguf("version_4", "version 4, expected 2 or 3", gguf(version=4), "unsupported")
bad_gguf("big_endian", "big-endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "unsupported")
bad_gguf("header_cut", "truncated: the number of metadata keys", gguf()[:20])
bad_gguf("key_count_huge", "metadata keys announced", gguf(n_pairs=2**64 - 1))
bad_gguf("key_count_too_large", "truncated: metadata key 3 of 3", gguf([ARCH, pair("k", STRING, "x" * 40)], n_pairs=3))
bad_gguf("tensor_count_huge", "tensors announced", gguf(n_tensors=2**62))
bad_gguf("key_longer_than_file", "truncated: metadata key 1 of 1", gguf([struct.pack("<Q", 2**63) + ARCH[8:]]))
bad_gguf("key_of_70000_bytes", "expected at most 65535", gguf([pair("k" * 70000, U8, 1)]))
bad_gguf("key_empty", "is empty", gguf([pair("", U32, 1)]))
bad_gguf("key_twice", "is there twice", gguf([ARCH, ARCH]))
bad_gguf("value_type_13", "value of type 13, expected 0 to 12", gguf([raw_pair("k", 13, b"\0" * 8)]))
bad_gguf("value_type_huge", "value of type 4294967295", gguf([raw_pair("k", 2**32 - 1, b"\0" * 8)]))
bad_gguf("bool_is_2", "a boolean is 2, expected 0 or 1", gguf([pair("k", BOOL, 2)]))
bad_gguf("bool_array_has_255", "a boolean is 255", gguf([raw_pair("k", ARRAY, array(BOOL, 2, b"\1\xff"))]))
bad_gguf("string_longer_than_file", "truncated: a string needs", gguf([raw_pair("k", STRING, struct.pack("<Q", 2**40))]))
bad_gguf("string_length_wraps", "truncated: a string needs 18446744073709551615",
         gguf([raw_pair("k", STRING, struct.pack("<Q", 2**64 - 1) + b"x" * 16)]))
bad_gguf("array_longer_than_file", "truncated: an array of numbers", gguf([raw_pair("k", ARRAY, array(F32, 1000, b""))]))
bad_gguf("array_count_overflows", "truncated: an array of numbers",
         gguf([raw_pair("k", ARRAY, array(F64, 2**61 + 1, b"\0" * 8))]))
bad_gguf("array_of_too_many_strings", "strings at byte", gguf([raw_pair("k", ARRAY, array(STRING, 2**60, b""))]))
bad_gguf("array_of_unknown_type", "elements of type 99", gguf([raw_pair("k", ARRAY, array(99, 1, b"\0" * 8))]))
deep = array(U8, 1, b"\1")
for _ in range(4):
    deep = array(ARRAY, 1, deep)
bad_gguf("arrays_five_deep", "nested deeper than 4", gguf([raw_pair("k", ARRAY, deep)]))
very_deep = b"".join(array(ARRAY, 1, b"") for _ in range(20000))
bad_gguf("arrays_20000_deep", "nested deeper than 4", gguf([raw_pair("k", ARRAY, very_deep)]))
bad_gguf("array_of_too_many_arrays", "arrays at byte", gguf([raw_pair("k", ARRAY, array(ARRAY, 2**50, b""))]))
bad_gguf("architecture_is_a_number", "general.architecture is uint32", gguf([pair("general.architecture", U32, 1)]))
for value in (0, 3, 48, 2**21):
    bad_gguf(f"alignment_{value}", f"general.alignment is {value}, expected a power of two",
             gguf([ARCH, pair("general.alignment", U32, value)], [ONE], b"\0" * 32))
bad_gguf("alignment_is_a_string", "general.alignment is string", gguf([pair("general.alignment", STRING, "32")]))
bad_gguf("alignment_negative", "general.alignment is int32 (-32)", gguf([pair("general.alignment", I32, -32)]))
bad_gguf("tensor_name_empty", "the name of tensor 1 of 1 is empty", gguf(tensors=[tensor("", [8], 0, 0)], data=b"\0" * 32))
bad_gguf("tensor_twice", "tensor a is there twice", gguf(tensors=[ONE, tensor("a", [8], 0, 32)], data=b"\0" * 64))
bad_gguf("tensor_without_dimensions", "0 dimensions, expected 1 to 4", gguf(tensors=[tensor("a", [], 0, 0)], data=b"\0" * 32))
bad_gguf("tensor_of_five_dimensions", "5 dimensions, expected 1 to 4",
         gguf(tensors=[tensor("a", [1, 1, 1, 1, 1], 0, 0)], data=b"\0" * 32))
bad_gguf("tensor_of_4294967295_dimensions", "4294967295 dimensions",
         gguf(tensors=[tensor("a", [8], 0, 0, n_dims=2**32 - 1)], data=b"\0" * 32))
bad_gguf("dimension_0", "dimension 1 is 0, expected at least 1", gguf(tensors=[tensor("a", [8, 0], 0, 0)], data=b"\0" * 32))
bad_gguf("dimension_negative", "dimension 0 is -1", gguf(tensors=[tensor("a", [-1], 0, 0)], data=b"\0" * 32))
bad_gguf("dimensions_overflow", "does not fit in 63 bits",
         gguf(tensors=[tensor("a", [2**32, 2**32], 0, 0)], data=b"\0" * 32))
bad_gguf("size_overflows", "overflows", gguf(tensors=[tensor("a", [2**62], 0, 0)], data=b"\0" * 32))
bad_gguf("row_does_not_divide", "divide by 32", gguf(tensors=[tensor("a", [33], TYPE_Q8_0, 0)], data=b"\0" * 64))
bad_gguf("offset_not_aligned", "expected a multiple of the alignment 32",
         gguf(tensors=[tensor("a", [4], 0, 16)], data=b"\0" * 64))
bad_gguf("offset_beyond_the_file", "the file is incomplete", gguf(tensors=[tensor("a", [8], 0, 2**40)], data=b"\0" * 32))
bad_gguf("offset_wraps", "the file is incomplete", gguf(tensors=[tensor("a", [8], 0, 2**64 - 32)], data=b"\0" * 32))
bad_gguf("no_data", "no byte follows", gguf(tensors=[ONE]))
bad_gguf("data_cut", "truncated: F32 [8] needs 32 bytes", gguf(tensors=[ONE], data=b"\0" * 31))
bad_gguf("second_tensor_cut", "the file is incomplete",
         gguf(tensors=[ONE, tensor("b", [8], 0, 32)], data=b"\0" * 32))
bad_gguf("tensors_at_one_place", "begin at the same byte",
         gguf(tensors=[ONE, tensor("b", [8], 0, 0)], data=b"\0" * 32))
bad_gguf("tensors_overlap", "they overlap", gguf(tensors=[tensor("a", [16], 0, 0), tensor("b", [8], 0, 32)], data=b"\0" * 64))

for file, data in {
    "no_keys_no_tensors": gguf([]),
    "version_2": gguf(tensors=[ONE], data=b"\0" * 32, version=2),
    "bytes_after_the_last_tensor": gguf(tensors=[ONE], data=b"\0" * 4000),
    "tensors_in_reverse_order": gguf(tensors=[tensor("a", [8], 0, 32), tensor("b", [8], 0, 0)], data=b"\0" * 64),
    "alignment_1_mib_no_tensors": gguf([pair("general.alignment", U32, 2**20)]),
    "unaligned_end_without_tensors": gguf([ARCH, pair("odd", STRING, "xyz")]),
    "empty_arrays": gguf([raw_pair("s", ARRAY, array(STRING, 0, b"")), raw_pair("n", ARRAY, array(ARRAY, 0, b""))]),
    "key_is_not_text": gguf([pair(b"\xff\x00\n", U8, 1)]),
    "type_of_somebody_else": gguf(tensors=[tensor("a", [32], 24, 0)], data=b"\0" * 32),
}.items():
    case(f"gguf_ok_{file}.gguf", "gguf", "ok", "", data)


# --- safetensors -----------------------------------------------------------------------------------------------------
def safetensors(header, data=b"", length=None):
    header = header if isinstance(header, bytes) else (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def bad_safetensors(file, message, data, code="bad_input"):
    case(f"safetensors_{file}.safetensors", "safetensors", code, message, data)


EIGHT = b"\0" * 8
bad_safetensors("empty", "truncated: the header length", b"")
bad_safetensors("length_only", "truncated: the header needs", struct.pack("<Q", 100))
bad_safetensors("length_huge", "expected at most 100000000", safetensors({"a": entry()}, EIGHT, length=2**64 - 1))
bad_safetensors("length_of_100_mb", "truncated: the header needs", safetensors({"a": entry()}, EIGHT, length=10**8))
bad_safetensors("header_empty", "not valid JSON", safetensors(b""))
bad_safetensors("header_not_json", "not valid JSON", safetensors(b"{\"a\": }", EIGHT))
bad_safetensors("header_cut", "not valid JSON", safetensors(json.dumps({"a": entry()})[:-5], EIGHT))
bad_safetensors("header_not_utf8", "not valid JSON", safetensors(b"{\"\xff\xfe\": 1}", EIGHT))
bad_safetensors("header_is_an_array", "expected a JSON object", safetensors(b"[]"))
bad_safetensors("header_deep", "nested deeper than 4", safetensors(b"[" * 50000 + b"]" * 50000))
bad_safetensors("tensor_twice", "is there twice",
                safetensors('{"a":%s,"a":%s}' % (json.dumps(entry()), json.dumps(entry())), EIGHT))
bad_safetensors("tensor_is_a_number", "tensor a: is not a JSON object", safetensors({"a": 3}))
bad_safetensors("no_dtype", "has no \"dtype\"", safetensors({"a": {"shape": [2], "data_offsets": [0, 8]}}, EIGHT))
bad_safetensors("dtype_unknown", "dtype \"Q4_K\" is unknown", safetensors({"a": entry("Q4_K")}, EIGHT), "unsupported")
bad_safetensors("no_shape", "has no \"shape\"", safetensors({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, EIGHT))
bad_safetensors("shape_negative", "\"shape\" holds -2", safetensors({"a": entry(shape=[-2])}, EIGHT))
bad_safetensors("shape_not_whole", "\"shape\" holds 2.5", safetensors({"a": entry(shape=[2.5])}, EIGHT))
bad_safetensors("shape_text", "\"shape\" holds \"2\"", safetensors({"a": entry(shape=["2"])}, EIGHT))
bad_safetensors("shape_overflows", "does not fit in 63 bits", safetensors({"a": entry(shape=[2**40, 2**40])}, EIGHT))
bad_safetensors("size_overflows", "needs 2^64 or more bytes", safetensors({"a": entry("F64", [2**62])}, EIGHT))
bad_safetensors("shape_of_nine", "9 dimensions", safetensors({"a": entry(shape=[1] * 8 + [2])}, EIGHT), "unsupported")
bad_safetensors("no_offsets", "data_offsets", safetensors({"a": {"dtype": "F32", "shape": [2]}}, EIGHT))
bad_safetensors("three_offsets", "two integers", safetensors({"a": entry(offsets=[0, 4, 8])}, EIGHT))
bad_safetensors("offsets_reversed", "0 <= begin <= end", safetensors({"a": entry(offsets=[8, 0])}, EIGHT))
bad_safetensors("offsets_negative", "0 <= begin <= end", safetensors({"a": entry(offsets=[-8, 0])}, EIGHT))
bad_safetensors("offsets_beyond_the_file", "the file is incomplete", safetensors({"a": entry(offsets=[0, 8])}, EIGHT[:7]))
bad_safetensors("offsets_wrap", "the file is incomplete",
                safetensors({"a": entry(offsets=[2**64 - 8, 2**64 - 1])}, EIGHT))
bad_safetensors("size_is_not_the_shape", "F32 [3] needs 12 bytes", safetensors({"a": entry(shape=[3])}, EIGHT))
bad_safetensors("tensors_overlap", "overlap in the file",
                safetensors({"a": entry(), "b": entry(offsets=[4, 12])}, EIGHT + EIGHT))
bad_safetensors("metadata_not_strings", "is not a string", safetensors({"__metadata__": {"n": 3}}))
bad_safetensors("metadata_not_an_object", "__metadata__ is not", safetensors({"__metadata__": []}))
case("safetensors_ok_no_tensors.safetensors", "safetensors", "ok", "", safetensors({}))
case("safetensors_ok_padded_header.safetensors", "safetensors", "ok", "", safetensors(json.dumps({"a": entry()}) + "   ", EIGHT))
case("safetensors_ok_hole.safetensors", "safetensors", "ok", "", safetensors({"a": entry(offsets=[8, 16])}, EIGHT + EIGHT))


# --- llama2.c --------------------------------------------------------------------------------------------------------
def floats_v0(dim, hidden, layers, heads, kv_heads, vocab, seq):
    kv = dim // heads * kv_heads
    per_layer = 2 * dim + 2 * dim * dim + 2 * dim * kv + 3 * dim * hidden
    n = abs(vocab) * dim + layers * per_layer + dim + dim // heads * seq
    return n + (abs(vocab) * dim if vocab < 0 else 0)


GOOD = (4, 6, 1, 2, 1, 5, 3)


def llama2c(config=GOOD, n_floats=None):
    return struct.pack("<7i", *config) + b"\0" * (4 * (floats_v0(*config) if n_floats is None else n_floats))


def versioned(version, shared, body=b""):
    head = struct.pack("<Ii7iB", 0x616B3432, version, *GOOD, shared)
    return head + b"\0" * (256 - len(head)) + body


def bad_llama2c(file, message, data, code="bad_input"):
    case(f"llama2c_{file}.bin", "llama2c", code, message, data)


bad_llama2c("empty", "truncated: the header", b"")
bad_llama2c("header_cut", "truncated: seq_len", llama2c()[:24])
bad_llama2c("one_float_short", "the file is incomplete", llama2c()[:-4])
bad_llama2c("one_byte_long", "not such a checkpoint", llama2c() + b"\0")
for index, name in enumerate(("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len")):
    changed = list(GOOD)
    changed[index] = 0
    bad_llama2c(f"{name}_0", f"{name} is 0, expected 1", llama2c(changed, 100))
    changed[index] = 2**31 - 1
    bad_llama2c(f"{name}_huge", f"{name} is 2147483647, expected 1", llama2c(changed, 100))
bad_llama2c("vocab_size_lowest", "vocab_size is -2147483648", llama2c((4, 6, 1, 2, 1, -(2**31), 3), 100))
bad_llama2c("heads_do_not_divide", "heads of an even width", llama2c((4, 6, 1, 3, 1, 5, 3), 100))
bad_llama2c("heads_of_odd_width", "heads of an even width", llama2c((4, 6, 1, 4, 1, 5, 3), 100))
bad_llama2c("kv_heads_do_not_divide", "expected a divisor", llama2c((12, 6, 1, 3, 2, 5, 3), 100))
bad_llama2c("version_2", "version 2, expected 0 or 1", versioned(2, 1), "unsupported")
bad_llama2c("version_1_cut", "the file is incomplete", versioned(1, 1))
bad_llama2c("shared_flag_7", "flag 7, expected 0 or 1", versioned(1, 7))
case("llama2c_ok_shared.bin", "llama2c", "ok", "", llama2c())
case("llama2c_ok_own_classifier.bin", "llama2c", "ok", "", llama2c((4, 6, 1, 2, 1, -5, 3)))


# --- tokenizers ------------------------------------------------------------------------------------------------------
def tokenizer_json(**changes):
    byte_level = [chr(c) for c in range(33, 127)]
    vocabulary = {token: index for index, token in enumerate(byte_level)} | {"ab": len(byte_level)}
    document = {"version": "1.0", "added_tokens": [], "normalizer": None,
                "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
                "post_processor": None, "decoder": {"type": "ByteLevel"},
                "model": {"type": "BPE", "vocab": vocabulary, "merges": ["a b"]}}
    model = changes.pop("model", {})
    document["model"].update(model)
    document.update(changes)
    return json.dumps(document).encode()


def piece(text_bytes, score=0.0, kind=None):
    body = b"\x0a" + bytes([len(text_bytes)]) + text_bytes + b"\x15" + struct.pack("<f", score)
    if kind is not None:
        body += b"\x18" + bytes([kind])
    return b"\x0a" + bytes([len(body)]) + body


def bad_tokenizer(file, message, data, code="bad_input"):
    case(f"tokenizer_{file}", "tokenizer", code, message, data)


PIECES = piece(b"<unk>", kind=2) + piece(b"<s>", kind=3) + piece(b"</s>", kind=3) + piece(b"a") + piece(b"b")
TOK512 = struct.pack("<i", 4) + b"".join(struct.pack("<fi", 0.0, len(t)) + t for t in (b"<unk>", b"<s>", b"</s>", b"a"))
bad_tokenizer("empty.json", "of no known kind", b"")
bad_tokenizer("json_cut.json", "not valid JSON", tokenizer_json()[:-9])
bad_tokenizer("json_deep.json", "nested deeper than 64 levels", b'{"version":"1.0","model":' + b"[" * 5000 + b"]" * 5000 + b"}")
bad_tokenizer("json_array_model.json", "no object \"model\"", json.dumps({"version": "1.0", "added_tokens": [], "model": [1]}).encode())
bad_tokenizer("json_vocab_list.json", "no model.vocab that maps tokens to ids", tokenizer_json(model={"vocab": ["a", "b"]}))
bad_tokenizer("json_id_negative.json", "is not a whole number from 0", tokenizer_json(model={"vocab": {"a": -1, "b": 1, "ab": 2}}))
bad_tokenizer("json_id_huge.json", "too large for a token id", tokenizer_json(model={"vocab": {"a": 0, "b": 2**40, "ab": 2}}))
bad_tokenizer("json_id_twice.json", "id 0 is given to two tokens", tokenizer_json(model={"vocab": {"a": 0, "b": 0, "ab": 1}}))
bad_tokenizer("json_merge_of_three.json", "expected two tokens with one space", tokenizer_json(model={"merges": ["a b c d"]}))
bad_tokenizer("json_merge_unknown.json", "which is not in the vocabulary", tokenizer_json(model={"merges": ["a zz"]}))
bad_tokenizer("json_merge_number.json", "merge 0 of tokenizer.json is neither", tokenizer_json(model={"merges": [7]}))
bad_tokenizer("json_added_without_id.json", "the id of token \"<s>\"", tokenizer_json(added_tokens=[{"content": "<s>"}]))
bad_tokenizer("sentencepiece_cut.model", "truncated: a protobuf field", PIECES[:-3])
bad_tokenizer("sentencepiece_score_nan.model", "the score of piece 5 is not a finite number", PIECES + piece(b"c", float("nan")))
bad_tokenizer("llama2c_cut.bin", "of no known kind", TOK512[:-1])
bad_tokenizer("llama2c_length.bin", "of no known kind", TOK512 + struct.pack("<fi", 0.0, 1 << 30) + b"x")
bad_tokenizer("tiktoken_rank_twice.txt", "id 0 is given to two tokens", b"YQ== 0\nYg== 0\nYWI= 1\n")
bad_tokenizer("tiktoken_not_base64.txt", "expected base64, a space and a rank", b"YQ== 0\nY!== 1\n")
bad_tokenizer("git_lfs_pointer.json", "is a Git LFS pointer", LFS_POINTER)
bad_tokenizer("picture.png", "of no known kind", b"\x89PNG\r\n\x1a\n" + bytes(64))

for part in (make_bad_pytorch, make_bad_models, make_bad_tokenizers, make_bad_folders):
    CASES.extend(part.CASES)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for file, kind, code, message, data in CASES:
        assert all(row["file"] != file for row in rows), file
        for name, content in data.items() if isinstance(data, dict) else [("", data)]:
            path = folder / file / name if name else folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        rows.append({"file": file, "kind": kind, "code": code, "message": message})
    (folder / "expected.json").write_text(json.dumps(rows, indent=1) + "\n")


main()
