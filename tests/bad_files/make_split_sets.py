#!/usr/bin/env python3
"""Makes the models in parts of tests/bad_files/split_sets and expected.json, which says of each what must be answered.

Usage: make_split_sets.py OUTPUT_FOLDER        (Python's standard library alone)

Each set is a folder of its own with a correct split model in which one thing is wrong; a few are odd but valid (code
"ok"). expected.json lists {open, code, message}: `open` is the file that is opened, `message` a part of the one line that
refuses it, which begins with that file's path.
"""
import json
import struct
import sys
from pathlib import Path

U16, U32, I32, STRING, U64 = 2, 4, 5, 8, 10
PACK = {U16: "H", U32: "I", I32: "i", U64: "Q"}
ROWS = []
FILES = {}


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def pair(key, kind, value):
    body = text(value) if kind == STRING else struct.pack("<" + PACK[kind], value)
    return text(key) + struct.pack("<I", kind) + body


def part(no, count, total, names, arch=None, extra=(), keys=("no", "count", "total"), kind=0, offsets=None):
    """One part: F32 tensors [8] of these names; keys: which of the three it has."""
    pairs = [pair("general.architecture", STRING, arch)] if arch else []
    pairs += list(extra)
    if "no" in keys:
        pairs.append(pair("split.no", U16, no))
    if "total" in keys:
        pairs.append(pair("split.tensors.count", I32, total))
    if "count" in keys:
        pairs.append(pair("split.count", U16, count))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(names), len(pairs)) + b"".join(pairs)
    for i, name in enumerate(names):
        head += text(name) + struct.pack("<IQIQ", 1, 8, kind, 32 * i if offsets is None else offsets[i])
    if not names:
        return head
    return head + b"\0" * (-len(head) % 32) + bytes(32 * len(names))


def path(i, n, prefix="m"):
    return f"{prefix}-{i:05}-of-{n:05}.gguf"


def case(folder, code, message, files, opened=None):
    for name, data in files.items():
        FILES[f"{folder}/{name}"] = data
    ROWS.append({"open": f"{folder}/{opened or next(iter(files))}", "code": code, "message": message})


def three(**changes):
    """A good set, with some parts replaced."""
    files = {path(1, 3): part(0, 3, 4, ["a", "b"], "test"),
             path(2, 3): part(1, 3, 4, ["c"]),
             path(3, 3): part(2, 3, 4, ["d"])}
    for key, data in changes.items():
        name = path(int(key[1:]), 3)
        if data is None:
            del files[name]
        else:
            files[name] = data
    return files


case("ok", "ok", "", three())
case("ok_from_the_last", "ok", "", three(), path(3, 3))
case("ok_no_tensor_in_first", "ok", "", {path(1, 2): part(0, 2, 1, [], "test"), path(2, 2): part(1, 2, 1, ["a"])})
case("ok_one_part", "ok", "", {path(1, 1): part(0, 1, 1, ["a"], "test")})
case("ok_joined_by_llama_cpp", "ok", "", {"whole.gguf": part(0, 0, 1, ["a"], "test")})
case("ok_total_in_first_only", "ok", "", three(p2=part(1, 3, 0, ["c"], keys=("no", "count"))))
case("first_missing", "not_found", "part 1 of 3 is missing, expected m-00001-of-00003.gguf beside it", three(p1=None),
     path(3, 3))
case("middle_missing", "not_found", "part 2 of 3 is missing, expected m-00002-of-00003.gguf beside it", three(p2=None))
case("last_missing", "not_found", "part 3 of 3 is missing, expected m-00003-of-00003.gguf beside it", three(p3=None))
case("renamed", "bad_input", "is part 1 of a model in 3 parts, whose names end in -00001-of-00003.gguf",
     {"model.gguf": part(0, 3, 4, ["a", "b"], "test")})
case("named_like_another", "bad_input", "by its name part 2 of 3, by its content part 1 of 3", three(), path(2, 3))
FILES["named_like_another/" + path(2, 3)] = part(0, 3, 4, ["a", "b"], "test")
case("named_for_another_count", "bad_input", "by its name part 1 of 2, by its content part 1 of 3",
     {path(1, 2): part(0, 3, 4, ["a", "b"], "test")})
case("number_of_another", "bad_input", "part 2 of 3, m-00002-of-00003.gguf: holds part 3 (split.no 2), expected part 2",
     three(p2=part(2, 3, 4, ["c"])))
case("number_twice", "bad_input", "holds part 1 (split.no 0), expected part 3", three(p3=part(0, 3, 4, ["d"])))
case("number_too_large", "bad_input", "split.no is 3, expected less than split.count (3)",
     three(p2=part(3, 3, 4, ["c"])))
case("number_missing", "bad_input", "split.count is 3, but split.no is missing",
     three(p2=part(1, 3, 4, ["c"], keys=("count", "total"))))
case("number_is_text", "bad_input", "split.no is string",
     three(p1=part(0, 3, 4, ["a", "b"], "test", extra=[pair("split.no", STRING, "0")], keys=("count", "total"))))
case("count_of_another", "bad_input", "is one of 4 parts, but the first says 3", three(p3=part(2, 4, 4, ["d"])))
case("count_missing", "bad_input", "is one of 1 parts, but the first says 3",
     three(p2=part(1, 3, 4, ["c"], keys=("no", "total"))))
case("count_absurd", "not_found", "part 2 of 65535 is missing, expected m-00002-of-65535.gguf",
     {path(1, 65535): part(0, 65535, 4, ["a"], "test")})
case("count_beyond_16_bits", "bad_input", "split.count is 18446744073709551615, expected at most 65535",
     {path(1, 3): part(0, 3, 4, ["a"], "test", extra=[pair("split.count", U64, 2**64 - 1)], keys=("no", "total"))})
case("count_negative", "bad_input", "split.count is int32 (-3)",
     {path(1, 3): part(0, 3, 4, ["a"], "test", extra=[pair("split.count", I32, -3)], keys=("no", "total"))})
case("total_missing", "bad_input", "split.tensors.count is missing in the first part",
     three(p1=part(0, 3, 4, ["a", "b"], "test", keys=("no", "count"))))
case("total_too_large", "bad_input", "the 3 parts hold 4 tensors, expected 5", {
    path(1, 3): part(0, 3, 5, ["a", "b"], "test"), path(2, 3): part(1, 3, 5, ["c"]), path(3, 3): part(2, 3, 5, ["d"])})
case("total_too_small", "bad_input", "the 3 parts hold 4 tensors, expected 3", {
    path(1, 3): part(0, 3, 3, ["a", "b"], "test"), path(2, 3): part(1, 3, 3, ["c"]), path(3, 3): part(2, 3, 3, ["d"])})
case("total_of_another", "bad_input", "belongs to a model of 9 tensors, but the first part to one of 4",
     three(p2=part(1, 3, 9, ["c"])))
case("total_negative", "bad_input", "split.tensors.count is int32 (-4)",
     three(p1=part(0, 3, -4, ["a", "b"], "test")))
case("tensor_twice", "bad_input", "tensor a is in part 1 too, expected once", three(p3=part(2, 3, 4, ["a"])))
case("architecture_of_another", "bad_input", "general.architecture is other, but test in the first part",
     three(p2=part(1, 3, 4, ["c"], "other")))
case("not_a_gguf_file", "bad_input", "part 2 of 3: ", three(p2=b"<html>404</html>\n"))
case("empty_part", "bad_input", "part 3 of 3: ", three(p3=b""))
case("part_cut", "bad_input", "truncated: F32 [8] needs 32 bytes", three(p2=part(1, 3, 4, ["c"])[:-1]))
case("part_without_data", "bad_input", "no byte follows", three(p3=part(2, 3, 4, ["d"])[:-32]))


def main():
    folder = Path(sys.argv[1])
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "expected.json").write_text(json.dumps(ROWS, indent=1) + "\n")


if __name__ == "__main__":
    main()
