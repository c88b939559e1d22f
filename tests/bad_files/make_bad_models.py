"""Broken models and vocabularies in GGUF for make_bad_files.py: the container is correct, what it says is not.

Kind "model": run is asked for a token; kind "tokenizer": tokenize is asked for a text's ids. Each case is a model of one
layer (or a vocabulary without weights) with one thing wrong. (Python's standard library alone.)
"""
import struct

CASES = []
PACK = {"u8": (0, "B"), "u32": (4, "I"), "i32": (5, "i"), "f32": (6, "f"), "bool": (7, "B"), "u64": (10, "Q"), "f64": (12, "d")}
STRING, ARRAY = 8, 9


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(value)) + value


def pair(key, kind, value):
    """One key; kind "str", "u32", ... or "[str]", "[u32]", ... for an array."""
    if kind == "str":
        return text(key) + struct.pack("<I", STRING) + text(value)
    if kind == "[str]":
        return text(key) + struct.pack("<IIQ", ARRAY, STRING, len(value)) + b"".join(text(v) for v in value)
    if kind[0] == "[":
        number, code = PACK[kind[1:-1]]
        return text(key) + struct.pack("<IIQ", ARRAY, number, len(value)) + struct.pack(f"<{len(value)}{code}", *value)
    number, code = PACK[kind]
    return text(key) + struct.pack("<I" + code, number, value)


def gguf(keys, tensors):
    """keys: {name: (kind, value)}; tensors: {name: extents}, all F32 zeros but vectors, which are ones."""
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(pair(k, *v) for k, v in keys.items())
    data = b""
    for name, extents in tensors.items():
        out += text(name) + struct.pack("<I", len(extents)) + struct.pack(f"<{len(extents)}Q", *extents)
        out += struct.pack("<IQ", 0, len(data))
        n = 1
        for extent in extents:
            n *= extent
        data += (struct.pack("<f", 1.0) if len(extents) == 1 else bytes(4)) * n
        data += bytes(-len(data) % 32)
    return out + bytes(-len(out) % 32) + data


BYTES = [f"<0x{b:02X}>" for b in range(256)]
WIDTH, VOCABULARY = 8, 8

SPM = {
    "tokenizer.ggml.model": ("str", "llama"),
    "tokenizer.ggml.tokens": ("[str]", ["<unk>", "<s>", "</s>", "\u2581", "t", "e", "x", "te"]),
    "tokenizer.ggml.scores": ("[f32]", [0, 0, 0, -1, -2, -3, -4, 0]),
    "tokenizer.ggml.token_type": ("[i32]", [2, 3, 3, 1, 1, 1, 1, 1]),
    "tokenizer.ggml.bos_token_id": ("u32", 1),
    "tokenizer.ggml.eos_token_id": ("u32", 2),
    "tokenizer.ggml.unknown_token_id": ("u32", 0),
}
BPE = {
    "tokenizer.ggml.model": ("str", "gpt2"),
    "tokenizer.ggml.pre": ("str", "gpt-2"),
    "tokenizer.ggml.tokens": ("[str]", ["t", "e", "x", "te", "tex", "text"]),
    "tokenizer.ggml.merges": ("[str]", ["t e", "te x", "tex t"]),
}
UNIGRAM = SPM | {"tokenizer.ggml.model": ("str", "t5"), "tokenizer.ggml.add_bos_token": ("bool", 0)}
BERT = {
    "tokenizer.ggml.model": ("str", "bert"),
    "tokenizer.ggml.tokens": ("[str]", ["[UNK]", "[CLS]", "[SEP]", "\u2581text", "ing"]),
    "tokenizer.ggml.token_type": ("[i32]", [2, 3, 3, 1, 1]),
    "tokenizer.ggml.unknown_token_id": ("u32", 0),
    "tokenizer.ggml.cls_token_id": ("u32", 1),
    "tokenizer.ggml.seperator_token_id": ("u32", 2),
}


def without(keys, *gone):
    return {k: v for k, v in keys.items() if k not in gone}


# --- hyper-parameters and tensors --------------------------------------------------------------------------------------
def shape(arch):
    return {
        "general.architecture": ("str", arch),
        f"{arch}.vocab_size": ("u32", VOCABULARY),
        f"{arch}.context_length": ("u32", 32),
        f"{arch}.embedding_length": ("u32", WIDTH),
        f"{arch}.block_count": ("u32", 1),
        f"{arch}.feed_forward_length": ("u32", WIDTH),
        f"{arch}.attention.head_count": ("u32", 2),
        f"{arch}.attention.layer_norm_rms_epsilon": ("f32", 1e-5),
    }


SQUARE = [WIDTH, WIDTH]
TENSORS = {
    "token_embd.weight": [WIDTH, VOCABULARY], "output_norm.weight": [WIDTH],
    "blk.0.attn_norm.weight": [WIDTH], "blk.0.attn_q.weight": SQUARE, "blk.0.attn_k.weight": SQUARE,
    "blk.0.attn_v.weight": SQUARE, "blk.0.attn_output.weight": SQUARE, "blk.0.ffn_norm.weight": [WIDTH],
    "blk.0.ffn_gate.weight": SQUARE, "blk.0.ffn_up.weight": SQUARE, "blk.0.ffn_down.weight": SQUARE,
}
QWEN3 = TENSORS | {"blk.0.attn_q_norm.weight": [4], "blk.0.attn_k_norm.weight": [4]}
GEMMA3 = QWEN3 | {"blk.0.post_attention_norm.weight": [WIDTH], "blk.0.post_ffw_norm.weight": [WIDTH]}


def model(file, message, keys=None, tensors=None, arch="llama", of=TENSORS, gone=(), code="bad_input"):
    """A model with these keys and tensors on top of the correct ones (extents None: left out)."""
    all_keys = without(shape(arch) | SPM | {k.replace("*", arch): v for k, v in (keys or {}).items()},
                       *(g.replace("*", arch) for g in gone))
    all_tensors = {k: v for k, v in (of | (tensors or {})).items() if v is not None}
    CASES.append((f"model_{file}.gguf", "model", code, message, gguf(all_keys, all_tensors)))


for arch, tensors in (("llama", TENSORS), ("qwen3", QWEN3), ("gemma3", GEMMA3)):
    model(f"ok_{arch}", "", arch=arch, of=tensors, code="ok")

model("architecture_unknown", "mamba", arch="mamba", code="unsupported")
model("architecture_missing", "general.architecture is missing", gone=["general.architecture"])
model("vocabulary_only", "token_embd.weight is missing", of={})
model("no_width", "*.embedding_length is missing".replace("*", "llama"), gone=["*.embedding_length"])
model("vocabulary_size_contradicts", "llama.vocab_size says 9", {"*.vocab_size": ("u32", 9)})
model("layers_4_billion", "layers", {"*.block_count": ("u32", 2**32 - 1)})
model("layers_2_of_1", "blk.1", {"*.block_count": ("u32", 2)})
model("heads_0", "llama.attention.head_count is 0", {"*.attention.head_count": ("u32", 0)})
model("heads_do_not_divide", "tensor blk.0.attn_q.weight has shape [8, 8], expected [8, 6]", {"*.attention.head_count": ("u32", 3)})
model("kv_heads_differ_by_layer", "head_count_kv", {"*.attention.head_count_kv": ("[u32]", [1, 2])}, code="unsupported")
model("value_length_differs", "attention.value_length 2", {"*.attention.value_length": ("u32", 2)}, code="unsupported")
model("rotary_odd", "rotary dimension is 3, expected an even number", {"*.rope.dimension_count": ("u32", 3)})
model("norm_epsilon_nan", "epsilon", {"*.attention.layer_norm_rms_epsilon": ("f32", float("nan"))})
model("width_is_text", "llama.embedding_length is string", {"*.embedding_length": ("str", "8")})
model("not_causal", "llama.attention.causal is false", {"*.attention.causal": ("bool", 0)}, code="unsupported")
model("tensor_missing", "tensor blk.0.ffn_up.weight is missing", tensors={"blk.0.ffn_up.weight": None})
model("tensor_of_another_shape", "tensor blk.0.attn_q.weight has shape [8, 4], expected [8, 8]", tensors={"blk.0.attn_q.weight": [8, 4]})
model("tensor_transposed", "blk.0.ffn_down.weight", {"*.feed_forward_length": ("u32", 16)},
      {"blk.0.ffn_gate.weight": [8, 16], "blk.0.ffn_up.weight": [8, 16], "blk.0.ffn_down.weight": [8, 16]})
model("qwen3_without_head_norms", "blk.0.attn_q_norm.weight is missing", arch="qwen3")
model("qwen3_head_norm_too_wide", "blk.0.attn_k_norm.weight has shape [8]", arch="qwen3", of=QWEN3,
      tensors={"blk.0.attn_k_norm.weight": [8]})
model("gemma3_without_post_norms", "blk.0.post_attention_norm.weight is missing", arch="gemma3", of=QWEN3)

model("window_negative", "attention window is -4", {"*.attention.sliding_window": ("i32", -4)}, arch="gemma3", of=GEMMA3)
model("window_is_text", "sliding_window is string", {"*.attention.sliding_window": ("str", "4")}, arch="gemma3", of=GEMMA3)
model("window_pattern_too_long", "sliding_window_pattern has 2 entries for 1 layers", arch="gemma3", of=GEMMA3,
      keys={"*.attention.sliding_window": ("u32", 4), "*.attention.sliding_window_pattern": ("[bool]", [1, 0])})
model("window_pattern_empty", "sliding_window_pattern has 0 entries for 1 layers", arch="gemma3", of=GEMMA3,
      keys={"*.attention.sliding_window": ("u32", 4), "*.attention.sliding_window_pattern": ("[u32]", [])})
model("window_pattern_negative", "sliding_window_pattern is -6", arch="gemma3", of=GEMMA3,
      keys={"*.attention.sliding_window": ("u32", 4), "*.attention.sliding_window_pattern": ("i32", -6)})
model("window_pattern_of_texts", "sliding_window_pattern", arch="gemma3", of=GEMMA3,
      keys={"*.attention.sliding_window": ("u32", 4), "*.attention.sliding_window_pattern": ("[str]", ["full"])})
model("window_base_zero", "gemma3.rope.freq_base_swa is 0, expected a positive number", arch="gemma3", of=GEMMA3,
      keys={"*.attention.sliding_window": ("u32", 4), "*.rope.freq_base_swa": ("f32", 0)})

YARN = {"*.rope.scaling.type": ("str", "yarn"), "*.rope.scaling.factor": ("f32", 4),
        "*.rope.scaling.original_context_length": ("u32", 16)}
model("ok_yarn", "", YARN, code="ok")
model("scaling_unknown", "llama.rope.scaling.type is \"longrope\"", {"*.rope.scaling.type": ("str", "longrope")}, code="unsupported")
model("scaling_is_a_number", "llama.rope.scaling.type is uint32", {"*.rope.scaling.type": ("u32", 2)})
model("linear_factor_zero", "rope scaling factor is 0, expected a positive number", {"*.rope.scaling.type": ("str", "linear"), "*.rope.scaling.factor": ("f32", 0)})
model("yarn_factor_nan", "rope scaling factor is nan", YARN | {"*.rope.scaling.factor": ("f32", float("nan"))})
model("yarn_factor_negative", "rope scaling factor is -4", YARN | {"*.rope.scaling.factor": ("f32", -4)})
model("yarn_without_context", "rope.scaling.original_context_length is missing",
      without(YARN, "*.rope.scaling.original_context_length"))
model("yarn_context_0", "original context of the yarn rope scaling is 0", YARN | {"*.rope.scaling.original_context_length": ("u32", 0)})
model("yarn_betas_reversed", "beta", YARN | {"*.rope.scaling.yarn_beta_fast": ("f32", 1), "*.rope.scaling.yarn_beta_slow": ("f32", 32)})
model("yarn_ext_factor", "yarn_ext_factor is set", YARN | {"*.rope.scaling.yarn_ext_factor": ("f32", 0.5)}, code="unsupported")

model("pooling_4", "llama.pooling_type is 4", {"*.pooling_type": ("u32", 4)}, code="unsupported")
model("pooling_is_text", "llama.pooling_type is string", {"*.pooling_type": ("str", "mean")})
NORMS_IN = {f"blk.0.{name}_norm_in.weight": [WIDTH] for name in
            ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")}
model("ok_norms_in", "", arch="gemma3", of=GEMMA3, tensors=NORMS_IN, code="ok")
model("norms_in_but_one", "blk.0.ffn_down_norm_in.weight is missing", arch="gemma3", of=GEMMA3,
      tensors=without(NORMS_IN, "blk.0.ffn_down_norm_in.weight"))
model("norm_in_too_short", "blk.0.ffn_down_norm_in.weight has shape [4]", arch="gemma3", of=GEMMA3,
      tensors=NORMS_IN | {"blk.0.ffn_down_norm_in.weight": [4]})

for index, (key, kind, value) in enumerate((("prism.hadamard.block_size", "u32", 128), ("llama.rotation.type", "str", "random"),
                                            ("quarot.seed", "u64", 7), ("general.SpinQuant", "bool", 1),
                                            ("llama.attention.hadamard_online", "bool", 1))):
    model(f"transformed_{index}", f"metadata key {key} says that the weights are transformed", {key: (kind, value)},
          code="unsupported")
model("ok_not_transformed", "", {"prism.hadamard.enabled": ("bool", 0)}, code="ok")


# --- vocabularies ------------------------------------------------------------------------------------------------------
def vocabulary(file, message, keys, gone=(), code="bad_input"):
    """Keys in a file without weights."""
    keys = without({"general.architecture": ("str", "llama")} | keys, *gone)
    CASES.append((f"vocabulary_{file}.gguf", "tokenizer", code, message, gguf(keys, {})))


G = "tokenizer.ggml."
CHARSMAP_LOOP = struct.pack("<I", 1024) + struct.pack("<256I", *[(i ^ 1) | (1 << 10) for i in range(256)]) + b"\0"

for name, keys in (("spm", SPM), ("bpe", BPE), ("unigram", UNIGRAM), ("bert", BERT)):
    vocabulary(f"ok_{name}", "", keys, code="ok")

vocabulary("model_unknown", "tokenizer model \"rwkv\" is not supported", SPM | {G + "model": ("str", "rwkv")}, code="unsupported")
vocabulary("model_is_a_number", "tokenizer.ggml.model is uint32", SPM | {G + "model": ("u32", 1)})
vocabulary("no_model", "tokenizer.ggml.model is missing", SPM, gone=[G + "model"], code="not_found")
vocabulary("no_tokens", "tokenizer.ggml.tokens", SPM, gone=[G + "tokens"])
vocabulary("tokens_empty", "no tokens", SPM | {G + "tokens": ("[str]", []), G + "scores": ("[f32]", []), G + "token_type": ("[i32]", [])},
           gone=[G + "bos_token_id", G + "eos_token_id", G + "unknown_token_id"])
vocabulary("tokens_are_numbers", "tokenizer.ggml.tokens is", SPM | {G + "tokens": ("[u32]", [1, 2])})
vocabulary("scores_too_few", "scores", SPM | {G + "scores": ("[f32]", [0, 0])})
vocabulary("scores_missing", "scores", SPM, gone=[G + "scores"])
vocabulary("scores_are_texts", "tokenizer.ggml.scores is", SPM | {G + "scores": ("[str]", ["0"] * 8)})
vocabulary("score_nan", "not a", SPM | {G + "scores": ("[f32]", [0, 0, 0, float("nan"), 0, 0, 0, 0])})
vocabulary("types_too_many", "tokenizer.ggml.token_type has 9 entries for 8 tokens", SPM | {G + "token_type": ("[i32]", [1] * 9)})
vocabulary("type_9", "tokenizer.ggml.token_type holds 9", SPM | {G + "token_type": ("[i32]", [9] * 8)})
vocabulary("byte_token_misspelled", "<0x", SPM | {G + "token_type": ("[i32]", [2, 3, 3, 1, 6, 1, 1, 1])})
vocabulary("bos_outside", "tokenizer.ggml.bos_token_id is 8, but there are 8 tokens", SPM | {G + "bos_token_id": ("u32", 8)})
vocabulary("eos_negative", "tokenizer.ggml.eos_token_id is -2", SPM | {G + "eos_token_id": ("i32", -2)})
vocabulary("add_bos_is_a_number", "tokenizer.ggml.add_bos_token is", SPM | {G + "add_bos_token": ("u32", 1)})
vocabulary("merge_unknown", "merge 1 (\"te y\") needs its right part", BPE | {G + "merges": ("[str]", ["t e", "te y"])})
vocabulary("merge_without_space", "merge 0 is \"te\"", BPE | {G + "merges": ("[str]", ["te"])})
vocabulary("merge_of_itself", "merge 0 is \" t\"", BPE | {G + "merges": ("[str]", [" t"])})
vocabulary("merges_in_a_circle", "needs its result", BPE | {G + "merges": ("[str]", ["t e", "te te", "e te"])})
vocabulary("merge_of_control_tokens", "merge 0", BPE | {G + "token_type": ("[i32]", [3, 3, 1, 1, 1, 1])})
vocabulary("merges_are_numbers", "tokenizer.ggml.merges is", BPE | {G + "merges": ("[u32]", [1, 2])})
vocabulary("merge_outside_the_alphabet", "outside the byte alphabet", BPE | {G + "merges": ("[str]", ["t \u4e2d"])})
vocabulary("pre_unknown", "the pre-tokeniser is \"gpt-77\"", BPE | {G + "pre": ("str", "gpt-77")}, code="unsupported")
vocabulary("pre_custom_without_rules", "has no rules under tern.tokenizer.pre_tokenizer", BPE | {G + "pre": ("str", "custom")})
vocabulary("pre_custom_not_json", "not valid JSON",
           BPE | {G + "pre": ("str", "custom"), "tern.tokenizer.pre_tokenizer": ("str", "{\"type\":")})
vocabulary("pre_custom_deep", "nested deeper than",
           BPE | {G + "pre": ("str", "custom"), "tern.tokenizer.pre_tokenizer": ("str", "[" * 5000)})
vocabulary("normalizer_unknown", "the normalizer Rot13 is not one of",
           BPE | {"tern.tokenizer.normalizer": ("str", "{\"type\":\"Rot13\"}")}, code="unsupported")
vocabulary("normalizer_not_json", "not valid JSON", BPE | {"tern.tokenizer.normalizer": ("str", "NFC")})
vocabulary("charsmap_short", "the character map has 2 bytes", UNIGRAM | {G + "precompiled_charsmap": ("[u8]", [1, 2])})
vocabulary("charsmap_trie_too_long", "the character map says that its trie has 4096 bytes",
           UNIGRAM | {G + "precompiled_charsmap": ("[u8]", struct.pack("<II", 4096, 0))})
vocabulary("charsmap_in_a_circle", "trie leads from unit", UNIGRAM | {G + "precompiled_charsmap": ("[u8]", CHARSMAP_LOOP)})
vocabulary("charsmap_of_numbers", "holds 300, expected bytes", UNIGRAM | {G + "precompiled_charsmap": ("[i32]", [300] * 8)})
vocabulary("charsmap_without_end", "do not end with a zero byte",
           UNIGRAM | {G + "precompiled_charsmap": ("[u8]", struct.pack("<II", 4, 0) + b"abc")})
vocabulary("charsmap_is_text", "precompiled_charsmap is", UNIGRAM | {G + "precompiled_charsmap": ("str", "abcd")})
vocabulary("exact_scores_too_few", "but 2 exact scores", UNIGRAM | {"tern.tokenizer.scores": ("[f64]", [0, 0])})
vocabulary("exact_scores_float32", "expected an array of float64", UNIGRAM | {"tern.tokenizer.scores": ("[f32]", [0] * 8)})
vocabulary("unigram_without_scores", "scores", UNIGRAM, gone=[G + "scores"])
vocabulary("unigram_cannot_spell", "neither byte tokens nor an unknown token",
           UNIGRAM | {G + "tokens": ("[str]", list("abcdefgh"))}, gone=[G + "unknown_token_id", G + "token_type"])
vocabulary("bert_word_characters_0", "words may have 0 characters", BERT | {"tern.tokenizer.max_input_chars_per_word": ("u32", 0)})
vocabulary("bert_without_unknown", "has no unknown token", BERT | {G + "tokens": ("[str]", ["a", "b", "c", "d", "e"])},
           gone=[G + "unknown_token_id", G + "token_type"])
vocabulary("bert_with_metaspace", "does not go with WordPiece",
           BERT | {"tern.tokenizer.pre_tokenizer": ("str", "{\"type\":\"Metaspace\"}")}, code="unsupported")
