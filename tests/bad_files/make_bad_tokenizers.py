"""Broken tokenizers for make_bad_files.py: tokenizer.json by section, SentencePiece models, and the files of folders
(vocab.txt, vocab.json with merges.txt, tokenizer_config.json). Each is correct but for one thing; tokenize is asked for
the ids of the word "text". Data that is a dictionary is a folder of files, and the path is then the one that is named.
(Python's standard library alone.)
"""
import base64
import json
import struct

CASES = []


def case(file, message, data, code="bad_input"):
    CASES.append((f"tokenizer_{file}", "tokenizer", code, message, data))


# --- tokenizer.json ----------------------------------------------------------------------------------------------------
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
BYTES = [chr(c) for c in range(33, 127)] + ["\u0120"]
BPE = {"type": "BPE", "vocab": {token: i for i, token in enumerate(BYTES)} | {"te": 95}, "merges": ["t e"]}
SPM_VOCABULARY = {t: i for i, t in enumerate(["<unk>", "<s>", "</s>", "\u2581", "t", "e", "x", "te", "<0x41>"])}
SPM = {"type": "BPE", "byte_fallback": True, "unk_token": "<unk>", "vocab": SPM_VOCABULARY, "merges": ["t e"]}
WORDPIECE = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
             "vocab": {"[UNK]": 0, "text": 1, "te": 2, "##xt": 3}}
UNIGRAM = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["\u2581", -2.0], ["te", -3.0], ["xt", -4.0]]}


def document(model, pre_tokenizer=None, normalizer=None, **changes):
    root = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer, "post_processor": None, "decoder": None, "model": model}
    return json.dumps(root | changes).encode()


def bpe(pre_tokenizer=BYTE_LEVEL, normalizer=None, root=None, **model):
    return document({k: v for k, v in (BPE | model).items() if v is not ...}, pre_tokenizer, normalizer, **(root or {}))


def normalizer(file, message, section, code="bad_input"):
    case(f"normalizer_{file}.json", message, bpe(normalizer=section), code)


def pre_tokenizer(file, message, section, code="unsupported"):
    case(f"pre_{file}.json", message, bpe(section), code)


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": [*parts, BYTE_LEVEL | {"use_regex": False}]}


def split(pattern, behavior="Isolated"):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": False}


def pattern(file, message, spelling, code="unsupported"):
    pre_tokenizer(f"pattern_{file}", message, sequence(split(spelling)), code)


def charsmap(trie, texts=b"\0", size=None):
    return struct.pack("<I", len(trie) * 4 if size is None else size) + struct.pack(f"<{len(trie)}I", *trie) + texts


def precompiled(data):
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(data).decode()}


CIRCLE = [(i ^ 1) | (1 << 10) for i in range(256)]

case("ok_byte_level.json", "", bpe(), "ok")
case("ok_wordpiece.json", "", document(WORDPIECE, {"type": "BertPreTokenizer"}, {"type": "BertNormalizer"}), "ok")
case("ok_unigram.json", "", document(UNIGRAM, {"type": "Metaspace", "replacement": "\u2581"}), "ok")
case("ok_byte_fallback.json", "", document(SPM), "ok")

normalizer("unknown", "the normalizer Rot13 is not one of", {"type": "Rot13"}, "unsupported")
normalizer("without_type", "the normalizer without a type", {}, "unsupported")
normalizer("is_a_list", "a normalizer is not a JSON object", [{"type": "NFC"}])
normalizer("sequence_without_list", "Sequence has no list \"normalizers\"", {"type": "Sequence"})
normalizer("replace_without_content", "Replace needs \"pattern\" and \"content\"", {"type": "Replace", "pattern": {"String": "a"}})
normalizer("replace_nothing", "replaces the empty string", {"type": "Replace", "pattern": {"String": ""}, "content": "a"})
normalizer("replace_open_group", "is not a regular expression", {"type": "Replace", "pattern": {"Regex": "(a"}, "content": ""})
normalizer("replace_single_bytes", "is not a regular expression", {"type": "Replace", "pattern": {"Regex": "\\C"}, "content": ""})
normalizer("replace_of_a_pattern_of_5000_bytes", "has 5000 bytes, at most 4096",
           {"type": "Replace", "pattern": {"Regex": "a" * 5000}, "content": ""})
normalizer("doubles_20_times", "makes the text too large",
           {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "e"}, "content": "ee"}] * 20})
normalizer("replace_runs_away", "takes too long on this text", {"type": "Sequence", "normalizers": [
    {"type": "Replace", "pattern": {"String": "e"}, "content": "a" * 60},
    {"type": "Replace", "pattern": {"Regex": "(a+)+[bc]"}, "content": ""}]})
normalizer("sequences_300", "there are more than 256 normalizers",
           {"type": "Sequence", "normalizers": [{"type": "NFC"}] * 300})
normalizer("charsmap_not_base64", "no precompiled_charsmap in base64", {"type": "Precompiled", "precompiled_charsmap": "%%%"})
normalizer("charsmap_short", "the character map has 3 bytes", precompiled(b"abc"))
normalizer("charsmap_trie_too_long", "its trie has 4096 bytes", precompiled(charsmap([0], size=4096)))
normalizer("charsmap_in_a_circle", "trie leads from unit", precompiled(charsmap(CIRCLE)))
normalizer("charsmap_without_end", "do not end with a zero byte", precompiled(charsmap([0], b"abc")))

pre_tokenizer("missing", "has no pre_tokenizer, expected one with ByteLevel", None)
pre_tokenizer("unknown", "has the type CharDelimiterSplit", {"type": "CharDelimiterSplit", "delimiter": "-"})
pre_tokenizer("without_byte_level", "has no ByteLevel", split("a"))
pre_tokenizer("byte_level_twice", "has ByteLevel twice", {"type": "Sequence", "pretokenizers": [BYTE_LEVEL, BYTE_LEVEL]})
pre_tokenizer("sequence_without_list", "a Sequence without its list", {"type": "Sequence"})
pre_tokenizer("holds_a_number", "something that is not an object", {"type": "Sequence", "pretokenizers": [7]})
pre_tokenizer("split_without_pattern", "a Split whose pattern is neither", sequence({"type": "Split", "behavior": "Isolated"}))
pre_tokenizer("split_of_two_kinds", "a Split whose pattern is neither", sequence(split("a") | {"pattern": "a"}))
pre_tokenizer("behavior_unknown", "has the behavior \"Merged\"", sequence(split("a", "Merged")))
deep = BYTE_LEVEL
for _ in range(12):
    deep = {"type": "Sequence", "pretokenizers": [deep]}
pre_tokenizer("sequences_12_deep", "is nested deeper than 8 levels", deep)
pre_tokenizer("rules_40", "has more than 32 rules", sequence(*[split("a")] * 40))

pattern("open_group", "has a ( without its )", "(a", "bad_input")
pattern("open_class", "that does not end", "[a-z", "bad_input")
pattern("range_reversed", "does not ascend", "[z-a]", "bad_input")
pattern("repeats_nothing", "repeats nothing at byte 0", "*a", "bad_input")
pattern("no_character", "names no character", "\\x{110000}", "bad_input")
pattern("back_reference", "has the escape \"\\1\" at byte 3", "(a)\\1")
pattern("recursion", "has the group \"(?R\"", "a(?R)?b")
pattern("condition", "has the group \"(?(\"", "(?(1)a|b)")
pattern("callout", "has the group \"(?C\"", "(?C1)a")
pattern("limits_of_its_own", "repeats nothing", "(*LIMIT_MATCH=1)a", "bad_input")
pattern("look_behind_without_bound", "is refused by the pattern engine", "(?<=a+)b")
pattern("repeats_100000_times", "is refused by the pattern engine", "a{100000}")
pattern("repeats_a_billion_times", "is refused by the pattern engine", "(?:(?:(?:a{1000}){1000}){1000})")
pattern("groups_100_deep", "more than 64 groups in groups", "(" * 100 + "a" + ")" * 100)
pattern("classes_100_deep", "more than 64 classes in classes", "[" * 100 + "a" + "]" * 100)
pattern("property_unknown", "is refused by the pattern engine", "\\p{Klingon}+")

case("wordpiece_without_pre.json", "a WordPiece model without a pre-tokenizer", document(WORDPIECE), "unsupported")
case("wordpiece_with_metaspace.json", "Metaspace does not go with WordPiece", document(WORDPIECE, {"type": "Metaspace"}), "unsupported")
case("wordpiece_without_prefix.json", "without a continuing_subword_prefix",
     document(WORDPIECE | {"continuing_subword_prefix": ""}, {"type": "BertPreTokenizer"}), "unsupported")
case("wordpiece_characters_negative.json", "max_input_chars_per_word of tokenizer.json is not a whole number",
     document(WORDPIECE | {"max_input_chars_per_word": -1}, {"type": "BertPreTokenizer"}))
case("wordpiece_characters_a_million.json", "words may have 1000000 characters",
     document(WORDPIECE | {"max_input_chars_per_word": 10**6}, {"type": "BertPreTokenizer"}))
case("wordpiece_vocabulary_list.json", "no model.vocab that maps tokens to ids",
     document(WORDPIECE | {"vocab": ["[UNK]", "text"]}, {"type": "BertPreTokenizer"}))
case("wordpiece_id_is_text.json", "the id of token \"text\" is not a whole number",
     document(WORDPIECE | {"vocab": {"[UNK]": 0, "text": "1"}}, {"type": "BertPreTokenizer"}))
case("wordpiece_without_unknown.json", "cannot be spelled, and this vocabulary has no unknown token",
     document(WORDPIECE | {"vocab": {"word": 0}}, {"type": "BertPreTokenizer"}))

METASPACE = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"}
case("unigram_vocabulary_of_bpe.json", "no list model.vocab of tokens with scores", document(UNIGRAM | {"vocab": {"a": 0}}, METASPACE))
case("unigram_unknown_outside.json", "unk_id of tokenizer.json is no token of its 4", document(UNIGRAM | {"unk_id": 4}, METASPACE))
case("unigram_entry_of_three.json", "entry 0 of model.vocab is not [token, score]",
     document(UNIGRAM | {"vocab": [["<unk>", 0.0, 1]]}, METASPACE))
case("unigram_score_text.json", "entry 0 of model.vocab is not [token, score]", document(UNIGRAM | {"vocab": [["<unk>", "0"]]}, METASPACE))
case("unigram_score_too_large.json", "is not a finite number",
     document(UNIGRAM | {"vocab": [["<unk>", 0.0], ["te", -1e200]]}, METASPACE))
case("unigram_token_of_2000_bytes.json", "has 2000 bytes, a unigram vocabulary may have at most 1024",
     document(UNIGRAM | {"vocab": [["<unk>", 0.0], ["t" * 2000, -1.0]]}, METASPACE))
case("unigram_with_byte_level.json", "ByteLevel does not go with", document(UNIGRAM, BYTE_LEVEL), "unsupported")
case("unigram_cannot_spell.json", "neither byte tokens nor an unknown token",
     document(UNIGRAM | {"unk_id": None, "vocab": [["a", -1.0]]}, METASPACE))
case("unigram_other_mark.json", "spells a space otherwise than as U+2581", document(UNIGRAM, METASPACE | {"replacement": "_"}), "unsupported")

case("json_model_wordlevel.json", "a model of type WordLevel", document({"type": "WordLevel", "vocab": {"text": 0}}), "unsupported")
case("json_merges_missing.json", "no list model.merges", bpe(merges=...))
case("json_merges_object.json", "no list model.merges", bpe(merges={"t e": 0}))
case("json_merge_of_itself.json", "merge 0 is \" t\"", bpe(merges=[["", "t"]]))
case("json_merges_in_a_circle.json", "needs its result", bpe(merges=["t e", "te te"]))
case("json_merge_outside_the_alphabet.json", "outside the byte alphabet", bpe(merges=["t \u4e2d"]))
case("json_fallback_merge_makes_nothing.json", "does not make a token", document(SPM | {"merges": ["t x"]}))
case("json_fallback_with_byte_level.json", "ByteLevel does not go with", document(SPM, BYTE_LEVEL), "unsupported")
case("json_word_suffix.json", "end_of_word_suffix \"</w>\"", bpe(end_of_word_suffix="</w>"), "unsupported")
case("json_word_prefix.json", "continuing_subword_prefix \"##\"", bpe(continuing_subword_prefix="##"), "unsupported")
case("json_dropout.json", "dropout", bpe(dropout=0.5), "unsupported")
case("json_added_is_an_object.json", "added_tokens is object, expected a list", bpe(root={"added_tokens": {"<s>": 96}}))
case("json_added_takes_an_id.json", "id 3 is given to two tokens",
     bpe(root={"added_tokens": [{"id": 3, "content": "<s>", "special": True}]}))
case("json_added_without_content.json", "an added token without content", bpe(root={"added_tokens": [{"id": 96}]}))
case("json_added_far_away.json", "token ids reach 2000000000 but there are only",
     bpe(root={"added_tokens": [{"id": 2 * 10**9, "content": "<s>", "special": True}]}))
case("json_added_of_70000_bytes.json", "has a name of 70000 bytes",
     bpe(root={"added_tokens": [{"id": 96, "content": "s" * 70000, "special": True}]}))
case("json_key_twice.json", "has the key \"model\" twice", bpe()[:-1] + b',"model":{}}')
case("json_number_too_large.json", "not valid JSON", bpe().replace(b'"te": 95', b'"te": 1e999'))

# --- SentencePiece -----------------------------------------------------------------------------------------------------
def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def piece(token, score=-1.0, kind=1):
    return field(1, field(1, token.encode()) + b"\x15" + struct.pack("<f", score) + field(3, kind))


PIECES = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("\u2581") + piece("te", -2) + piece("xt", -3)
AS_UNIGRAM, AS_BPE = field(2, field(3, 1)), field(2, field(3, 2))


def spm(file, message, data, code="bad_input"):
    case(f"sentencepiece_{file}.model", message, data, code)


spm("ok_unigram", "", PIECES + AS_UNIGRAM, "ok")
spm("ok_bpe", "", PIECES + AS_BPE, "ok")
spm("of_words", "of type 3 (word)", PIECES + field(2, field(3, 3)), "unsupported")
spm("type_9", "of type 9", PIECES + field(2, field(3, 9)), "unsupported")
spm("piece_type_7", "piece 6 has type 7, expected 1 to 6", PIECES + piece("a", 0, 7) + AS_UNIGRAM)
spm("score_infinite", "the score of piece 6 is not a finite number", PIECES + piece("a", float("inf")) + AS_UNIGRAM)
spm("suffix", "spaces at the ends of words", PIECES + field(2, field(3, 1) + field(24, 1)), "unsupported")
spm("trainer_is_a_number", "protobuf wire type 0, expected 2", PIECES + field(2, 5))
spm("piece_text_is_a_number", "protobuf wire type 0, expected 2", PIECES + field(1, field(1, 5)))
spm("length_wraps", "truncated: a protobuf field", PIECES + b"\x0a" + b"\xff" * 9 + b"\x01")
spm("varint_without_end", "protobuf", PIECES + b"\x18" + b"\xff" * 11)
spm("token_of_2000_bytes", "has 2000 bytes, a unigram vocabulary may have at most 1024", PIECES + piece("t" * 2000) + AS_UNIGRAM)
spm("byte_misspelled", "is not spelled \"<0xAB>\"", PIECES + piece("<0xZZ>", 0, 6) + AS_UNIGRAM)
spm("charsmap_in_a_circle", "trie leads from unit", PIECES + AS_UNIGRAM + field(3, field(2, charsmap(CIRCLE))))
spm("charsmap_trie_odd", "its trie has 3 bytes", PIECES + AS_UNIGRAM + field(3, field(2, charsmap([0], size=3))))
spm("cannot_spell", "neither byte tokens nor an unknown token", piece("a") + AS_UNIGRAM + field(2, field(3, 1) + field(40, 2**64 - 1)))

# --- folders -----------------------------------------------------------------------------------------------------------
WORDS = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ntext\nte\n##xt\n"


def vocab_txt(file, message, words=WORDS, config=None, code="bad_input"):
    files = {"vocab.txt": words}
    if config is not None:
        files["tokenizer_config.json"] = config if isinstance(config, bytes) else json.dumps(config).encode()
    case(f"vocab_txt_{file}", message, files, code)


vocab_txt("ok", "", code="ok")
vocab_txt("ok_cased", "", config={"do_lower_case": False}, code="ok")
vocab_txt("empty", "vocab.txt holds no tokens", b"")
vocab_txt("zero_byte", "vocab.txt holds a zero byte", WORDS + b"a\0b\n")
vocab_txt("no_unknown", "vocab.txt has no line [UNK]", b"text\n##xt\n")
vocab_txt("of_another_kind", "vocab.txt has no line [UNK]", b"YQ== 0\nYg== 1\n")
vocab_txt("config_cut", "tokenizer_config.json is not valid JSON", config=b'{"do_lower_case": tr')
vocab_txt("config_is_a_list", "tokenizer_config.json is not a JSON object", config=[])
vocab_txt("config_key_twice", "has the key \"do_lower_case\" twice", config=b'{"do_lower_case":true,"do_lower_case":false}')
vocab_txt("config_deep", "nested deeper than", config=b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}")


def vocab_json(file, message, vocab=None, merges=b"#version: 0.2\nt e\n", code="bad_input"):
    files = {"vocab.json": json.dumps(BPE["vocab"]).encode() if vocab is None else vocab}
    if merges is not None:
        files["merges.txt"] = merges
    case(f"vocab_json_{file}", message, files, code)


vocab_json("ok", "", code="ok")
vocab_json("without_merges", "merges.txt", merges=None, code="not_found")
vocab_json("id_is_text", "the id of token \"t\" in vocab.json", b'{"e":0,"t":"1"}')
vocab_json("id_twice", "id 0 is given to two tokens", b'{"e":0,"t":0}')
vocab_json("id_far_away", "token ids reach 1000000 but there are only", b'{"e":0,"t":1000000}')
vocab_json("merge_of_one", "line 2 of merges.txt is \"te\"", merges=b"#version: 0.2\nte\n")
vocab_json("merge_of_three", "expected two tokens with one space", merges=b"t e x\n")
vocab_json("merge_unknown", "needs its right part", merges=b"t zz\n")
vocab_json("merges_of_zero_bytes", "outside the byte alphabet", merges=b"\0\0 \0\0\n")
