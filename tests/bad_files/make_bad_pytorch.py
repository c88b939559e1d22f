"""The broken PyTorch checkpoints of make_bad_files.py: ZIP archives and pickles put together by hand.

Each is a sound checkpoint of one tensor with one thing wrong, or a program in disguise. None can be read by Tern; what
some of them would do to a reader that executes pickles stands in their names.
"""
import io
import struct
import zipfile

CASES = []


def case(file, message, data, code="bad_input"):
    CASES.append((f"pytorch_{file}.pt", "pytorch", code, message, data))


# --- pickles ---------------------------------------------------------------------------------------------------------
def text(value):
    value = value.encode() if isinstance(value, str) else value
    return b"X" + struct.pack("<I", len(value)) + value


def number(value):
    if -2**31 <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    return b"\x8a\x08" + struct.pack("<q", value)


def numbers(values):
    return b"(" + b"".join(number(v) for v in values) + b"t"


def name(module, attribute):
    return b"c" + f"{module}\n{attribute}\n".encode()


def storage(key="0", kind=name("torch", "FloatStorage"), n=6):
    return b"(" + text("storage") + kind + text(key) + text("cpu") + (number(n) if isinstance(n, int) else n) + b"tQ"


def tensor(where=None, offset=0, size=(2, 3), stride=(3, 1), function=name("torch._utils", "_rebuild_tensor_v2")):
    body = (storage() if where is None else where) + number(offset)
    body += (size if isinstance(size, bytes) else numbers(size)) + (stride if isinstance(stride, bytes) else numbers(stride))
    return function + b"(" + body + b"\x89" + name("collections", "OrderedDict") + b")RtR"


def pickle(body):
    return b"\x80\x02" + body + b"."


def state(*pairs):
    return b"}(" + b"".join(text(key) + value for key, value in pairs) + b"u"


GOOD = pickle(state(("w", tensor())))


# --- archives --------------------------------------------------------------------------------------------------------
DATA = struct.pack("<6f", 1, 2, 3, 4, 5, 6)


def archive(data_pkl=GOOD, entries=(("archive/data/0", DATA),), method=zipfile.ZIP_STORED, pickle_name="archive/data.pkl"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for entry, data in ((pickle_name, data_pkl), *entries):
            z.writestr(zipfile.ZipInfo(entry, (1980, 1, 1, 0, 0, 0)), data, compress_type=method)
    return out.getvalue()


def directory_at(data):
    return struct.unpack("<I", data[-6:-2])[0]


def patched(data, at, pattern, *values):
    return data[:at] + struct.pack(pattern, *values) + data[at + struct.calcsize(pattern):]


def second_entry(data):  # of the directory
    return data.index(b"PK\x01\x02", directory_at(data) + 1)


def bad_pickle(file, message, body, code="bad_input"):
    case(file, message, archive(body), code)


def bad_tensor(file, message, code="bad_input", **parts):
    bad_pickle(file, message, pickle(state(("w", tensor(**parts)))), code)


OK = archive()
case("ok_plain", "", OK, "ok")

# Archives.
case("zip_cut", "has no end record", OK[:-1])
case("zip_header_only", "has no end record", b"PK\x03\x04")
case("zip_data_cut", "has no end record", OK[:200])
case("zip_without_pickle", "without a data.pkl", archive(pickle_name="archive/other.pkl"))
case("zip_empty_directory", "without a data.pkl", OK[:directory_at(OK)] + b"PK\x05\x06" + struct.pack("<4HIIH", 0, 0, 0, 0, 0, directory_at(OK), 0))
case("zip_deflated", "archive/data.pkl: is compressed (method 8)", archive(method=zipfile.ZIP_DEFLATED), "unsupported")
case("zip_bomb_of_10_mb_in_10_kb", "is compressed", archive(entries=[("archive/data/0", bytes(10_000_000))], method=zipfile.ZIP_DEFLATED), "unsupported")
case("zip_encrypted", "is encrypted", patched(OK, directory_at(OK) + 8, "<H", 1), "unsupported")
case("zip_sizes_differ", "said to be 25", patched(OK, second_entry(OK) + 24, "<I", 25))
case("zip_entry_longer_than_the_file", "truncated: needs 4000000 bytes", patched(OK, second_entry(OK) + 20, "<II", 4000000, 4000000))
case("zip_entry_elsewhere", "should begin at byte 4294967294", patched(OK, second_entry(OK) + 42, "<I", 2**32 - 2))
case("zip_entry_in_the_middle", "should begin at byte 1,", patched(OK, second_entry(OK) + 42, "<I", 1))
case("zip_entry_of_another_name", "has a header of its own that names \"archive/data.pkl\"", patched(OK, second_entry(OK) + 42, "<I", 0))
case("zip_overlap", "overlap", (lambda z: patched(z, directory_at(z) + 20, "<II", *[struct.unpack("<I", z[second_entry(z) + 42:][:4])[0]] * 2))(OK))
case("zip_entry_twice", "is there twice",
     (lambda z: z.replace(b"archive/data/1", b"archive/data/0"))(archive(entries=[("archive/data/0", DATA), ("archive/data/1", DATA)])))
case("zip_name_leads_out", "\"archive/../../etc/passwd\", expected a plain name", archive(entries=[("archive/../../etc/passwd", DATA)]))
case("zip_name_absolute", "expected a plain name", archive(entries=[("/etc/passwd", DATA)]))
case("zip_name_backslash", "expected a plain name", archive(entries=[("archive\\data\\0", DATA)]))
case("zip_count_too_large", "entries announced in a directory", patched(OK, len(OK) - 14, "<HH", 65534, 65534))
case("zip_count_too_small", "goes on for", patched(OK, len(OK) - 14, "<HH", 1, 1))
case("zip_directory_beyond_the_end", "does not lie before its end record", patched(OK, len(OK) - 6, "<I", 2**31))
case("zip_directory_wrong_place", "holds something that is not an entry", patched(OK, len(OK) - 6, "<I", directory_at(OK) - 10))
case("zip_part_of_two", "one part of an archive", patched(OK, len(OK) - 18, "<HH", 1, 1), "unsupported")
case("zip64_missing", "refers to a ZIP64 record that is not there", patched(OK, len(OK) - 6, "<I", 2**32 - 1))
case("zip64_entry_without_field", "refers to a ZIP64 extra field", patched(OK, second_entry(OK) + 20, "<I", 2**32 - 1))


def zip64(n_entries=2, size=None, offset=None, position=None, old=(65535, 65535, 2**32 - 1, 2**32 - 1)):
    at, end = directory_at(OK), len(OK) - 22
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, n_entries, n_entries,
                                         end - at if size is None else size, at if offset is None else offset)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end if position is None else position, 1)
    return OK[:end] + record + locator + b"PK\x05\x06" + struct.pack("<4HIIH", 0, 0, *old, 0)


case("ok_zip64", "", zip64(), "ok")
case("zip64_count_huge", "entries announced in a directory", zip64(n_entries=2**63))
case("zip64_offset_wraps", "does not lie before its end record", zip64(offset=2**64 - 8))
case("zip64_record_elsewhere", "should be at byte 5", zip64(position=5))
case("zip64_contradicts", "contradict each other", zip64(old=(7, 7, 2**32 - 1, 2**32 - 1)))

# Other files of PyTorch's.
case("legacy", "is of PyTorch before 1.6", b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + GOOD, "unsupported")
case("bare_pickle", "is a bare Python pickle", GOOD, "unsupported")
case("script", "is a TorchScript program", archive(entries=[("archive/constants.pkl", pickle(b")"))]), "unsupported")
case("big_endian", "byte order is \"big\"", archive(entries=[("archive/data/0", DATA), ("archive/byteorder", b"big")]), "unsupported")

# Programs.
bad_pickle("calls_os_system", "wants to call os.system; Tern reads tensors only", pickle(name("os", "system") + text("touch /tmp/owned") + b"\x85R"), "unsupported")
bad_pickle("calls_posix_system", "wants to call posix.system", pickle(name("posix", "system") + text("id") + b"\x85R"), "unsupported")
bad_pickle("calls_eval", "wants to call builtins.eval", pickle(name("builtins", "eval") + text("1") + b"\x85R"), "unsupported")
bad_pickle("calls_eval_by_stack", "wants to call builtins.eval", pickle(text("builtins") + text("eval") + b"\x93" + text("1") + b"\x85R"), "unsupported")
bad_pickle("calls_getattr", "wants to call builtins.getattr", pickle(name("builtins", "getattr") + b")R"), "unsupported")
bad_pickle("calls_load_from_bytes", "wants to call torch.storage._load_from_bytes", pickle(name("torch.storage", "_load_from_bytes") + text("") + b"\x85R"), "unsupported")
bad_pickle("calls_name_with_dots", "wants to call torch._utils.os.system", pickle(name("torch._utils", "os.system") + b")R"), "unsupported")
bad_pickle("calls_a_call", "calls something that is not a name", pickle(name("torch", "Size") + b")R)R"))
bad_pickle("calls_instance", "opcode INST at byte 3", pickle(b"(ios\nsystem\n"), "unsupported")
bad_pickle("calls_object", "opcode OBJ at byte", pickle(b"(" + name("torch", "Size") + b"o"), "unsupported")
bad_pickle("calls_by_extension", "opcode EXT1", pickle(b"\x82\x01"), "unsupported")
bad_pickle("line_without_end", "a name longer than 256 bytes", pickle(b"c" + b"a" * 5000))

# Bombs.
bad_pickle("billion_laughs", "does not hold a dict", pickle(b")" + b"q\x00h\x00\x86" * 500))
bad_pickle("tuples_100000_deep", "does not hold a dict", pickle(b")" + b"\x85" * 100_000))
bad_pickle("dicts_2000_deep", "holds no tensors", pickle((b"}" + text("state_dict")) * 2000 + b"}" + b"s" * 2000))
bad_pickle("lists_in_themselves", "does not hold a dict", pickle(b"]q\x00h\x00a"))
bad_pickle("dict_in_itself", "holds no tensors", pickle(b"}q\x00" + text("model") + b"h\x00s"))
bad_pickle("tensor_in_itself", "is wrapped more than 4 times",
           pickle(b"}" + text("w") + b"".join([name("torch._utils", "_rebuild_parameter")] * 6) + tensor() + b"\x85R" * 6 + b"s"))
bad_pickle("memo_place_huge", "place 4294967295 of the memo", pickle(b"}r" + struct.pack("<I", 2**32 - 1)), "unsupported")
bad_pickle("long_of_2_gb", "an integer of 2147483647 bytes", pickle(b"\x8b" + struct.pack("<I", 2**31 - 1)), "unsupported")
bad_pickle("long_of_200_bytes", "an integer of 200 bytes, expected at most 8", pickle(b"\x8a\xc8" + b"\x7f" * 200), "unsupported")
bad_pickle("text_longer_than_the_file", "truncated: a text needs 4294967295 bytes", pickle(b"X" + b"\xff" * 4))
bad_pickle("text_length_wraps", "truncated: a text needs 18446744073709551615", pickle(b"\x8d" + b"\xff" * 8))
bad_pickle("frame_longer_than_the_file", "a frame of 18446744073709551615 bytes", pickle(b"\x95" + b"\xff" * 8))

# Broken pickles.
bad_pickle("pickle_empty", "without the opcode STOP", b"")
bad_pickle("without_stop", "without the opcode STOP", GOOD[:-1])
bad_pickle("stack_empty", "takes a value from an empty stack", pickle(b""))
bad_pickle("stack_below_the_mark", "takes a value from an empty stack", pickle(b"N(\x85"))
bad_pickle("append_to_nothing", "takes a value from an empty stack", pickle(b"Na"))
bad_pickle("append_to_a_tuple", "appends to something that is not a list", pickle(b")Na"))
bad_pickle("set_item_of_a_list", "sets an item of something that is not a dict", pickle(b"]NNs"))
bad_pickle("items_not_in_pairs", "3 keys and values", pickle(b"}(NNNu"))
bad_pickle("mark_missing", "needs a MARK", pickle(b"}u"))
bad_pickle("mark_left", "are left on the stack", pickle(b"(}"))
bad_pickle("memo_empty_place", "takes place 5 of the memo", pickle(b"h\x05"))
bad_pickle("opcode_unknown", "holds 0xff, which is no pickle opcode", pickle(b"\xff"))
bad_pickle("protocol_0", "begins with opcode MARK", b"(dp0\n.", "unsupported")
bad_pickle("protocol_9", "pickle protocol 9, expected 2 to 5", b"\x80\x09}.", "unsupported")

# Tensors.
bad_tensor("storage_missing", "its storage data/7 is missing", where=storage("7"))
bad_tensor("storage_leads_out", "its storage data/../data.pkl is missing", where=storage("../data.pkl"))
bad_tensor("storage_too_small", "should hold 7 elements (F32) but has 24 bytes", where=storage(n=7))
bad_tensor("storage_count_negative", "should hold -1 elements", where=storage(n=-1))
bad_tensor("storage_count_wraps", "should hold 4611686018427387905 elements", where=storage(n=2**62 + 1))
bad_tensor("storage_count_a_text", "is not described as torch does", where=storage(n=text("6")))
bad_tensor("storage_of_no_class", "is not described as torch does", where=storage(kind=text("FloatStorage")))
bad_tensor("storage_not_persistent", "is not described as torch does", where=b"N")
bad_tensor("storage_complex", "its storage is a torch.ComplexFloatStorage", "unsupported", where=storage(kind=name("torch", "ComplexFloatStorage")))
bad_tensor("dtype_unknown", "wants to call torch.Float4Storage", "unsupported", where=storage(kind=name("torch", "Float4Storage")))
bad_tensor("size_negative", "its size holds -2", size=(-2, 3))
bad_tensor("size_not_numbers", "its size holds something else", size=b"(NNt")
bad_tensor("size_not_a_tuple", "its size is not a tuple", size=b"N")
bad_tensor("size_too_large", "needs 7 elements from element 0 of its storage, which has 6", size=(2, 3), stride=(4, 1))
bad_tensor("size_overflows", "product of its size does not fit", size=(2**40, 2**40), stride=(0, 0))
bad_tensor("size_of_nine", "9 dimensions, expected at most 8", "unsupported", size=(1,) * 9, stride=(1,) * 9)
bad_tensor("stride_negative", "its stride holds -1", stride=(3, -1))
bad_tensor("stride_huge", "its storage, which has 6", stride=(2**62, 1))
bad_tensor("stride_overflows", "does not fit in 63 bits", size=(3, 2), stride=(2**62, 1))
bad_tensor("stride_missing", "2 sizes and 1 strides", stride=(1,))
bad_tensor("stride_zero_repeats", "repeats a storage of 6 elements", "unsupported", size=(2**40,), stride=(0,))
bad_tensor("offset_negative", "storage offset is not a number from 0", offset=-1)
bad_tensor("offset_huge", "from element 4611686018427387904 of its storage", offset=2**62)
bad_tensor("offset_by_one", "needs 6 elements from element 1", offset=1)
bad_pickle("tensor_twice", "tensor w is there twice", pickle(state(("w", tensor()), ("w", tensor()))))
bad_pickle("tensor_key_a_number", "key in the state dict is not a text", pickle(b"}" + number(1) + tensor() + b"s"))
bad_pickle("tensor_without_arguments", "_rebuild_tensor_v2 with 0 arguments", pickle(b"}" + text("w") + name("torch._utils", "_rebuild_tensor_v2") + b")Rs"))
bad_pickle("tensor_of_no_dtype", "its dtype is not one that Tern knows",
           pickle(b"}" + text("w") + name("torch._utils", "_rebuild_tensor_v3") + b"(" + storage() + number(0) + numbers((6,)) + numbers((1,)) + b"\x89NNtRs"), "unsupported")
bad_pickle("no_tensors", "holds no tensors at its top or under state_dict, model, module, model_state_dict, but nothing", pickle(b"}"))
bad_pickle("other_keys", "but epoch, lr: expected a state dict", pickle(state(("epoch", number(3)), ("lr", number(1)))))
bad_pickle("one_tensor", "holds one tensor without a name", pickle(tensor()))
bad_pickle("a_list", "does not hold a dict", pickle(b"]"))
