"""Broken Hugging Face folders for make_bad_files.py: config.json, the pooling of sentence-transformers, and the index of
several weight files. Each is correct but for one thing; convert is asked to make a GGUF file of it. (Python's standard
library alone.)
"""
import json
import struct

CASES = []
WIDTH, VOCABULARY = 8, 4
SQUARE = [WIDTH, WIDTH]
LAYER = {"input_layernorm": [WIDTH], "self_attn.q_proj": SQUARE, "self_attn.k_proj": SQUARE, "self_attn.v_proj": SQUARE,
         "self_attn.o_proj": SQUARE, "post_attention_layernorm": [WIDTH], "mlp.gate_proj": SQUARE, "mlp.up_proj": SQUARE,
         "mlp.down_proj": SQUARE}
TENSORS = {"model.embed_tokens.weight": [VOCABULARY, WIDTH], "model.norm.weight": [WIDTH]}
TENSORS |= {f"model.layers.0.{name}.weight": shape for name, shape in LAYER.items()}
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": WIDTH,
          "num_hidden_layers": 1, "intermediate_size": WIDTH, "num_attention_heads": 2, "max_position_embeddings": 32,
          "rms_norm_eps": 1e-5, "hidden_act": "silu", "tie_word_embeddings": True}
TOKENIZER = {"version": "1.0", "added_tokens": [], "normalizer": None, "post_processor": None, "decoder": None,
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
             "model": {"type": "BPE", "vocab": {"t": 0, "e": 1, "te": 2, "x": 3}, "merges": ["t e"]}}


def safetensors(shapes, metadata=None):
    """F16 zeros."""
    header, data = {} if metadata is None else {"__metadata__": metadata}, b""
    for name, shape in shapes.items():
        n = 1
        for extent in shape:
            n *= extent
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [len(data), len(data) + 2 * n]}
        data += bytes(2 * n)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


# A config.json is refused before its weights are looked for.
ONE_TENSOR = safetensors({"a": [1]})


def folder(file, message, files, code="bad_input"):
    encoded = {name: data if isinstance(data, bytes) else json.dumps(data).encode() for name, data in files.items()}
    CASES.append((file, "folder", code, message, encoded))


def config(file, message, changes, code="bad_input"):
    """`changes` on top of a correct config.json, or the bytes of one; ... takes a key away."""
    if isinstance(changes, dict):
        changes = {k: v for k, v in (CONFIG | changes).items() if v is not ...}
    folder(f"config_{file}", message, {"config.json": changes, "model.safetensors": ONE_TENSOR}, code)


SOUND = {"config.json": CONFIG, "tokenizer.json": TOKENIZER, "model.safetensors": safetensors(TENSORS)}
folder("config_ok", "", SOUND, "ok")

# --- config.json -------------------------------------------------------------------------------------------------------
config("empty", "not valid JSON", b"")
config("cut", "not valid JSON", json.dumps(CONFIG).encode()[:-9])
config("is_a_list", "is array, expected an object", b"[]")
config("deep", "nested", b'{"a":' + b"[" * 10000 + b"]" * 10000 + b"}")
config("key_twice", "twice", json.dumps(CONFIG).encode()[:-1] + b', "vocab_size": 5}')
config("number_too_large", "not valid JSON", json.dumps(CONFIG).encode()[:-1] + b', "rope_theta": 1e999}')
config("no_class", "architectures is missing", {"architectures": ...})
config("class_unknown", "MambaForCausalLM", {"architectures": ["MambaForCausalLM"]}, "unsupported")
config("no_width", "hidden_size is missing", {"hidden_size": ...})
config("width_is_text", "hidden_size is string, expected an integer", {"hidden_size": "8"})
config("width_huge", "9223372036854775807", {"hidden_size": 2**63 - 1})
config("layers_a_billion", "1000000000", {"num_hidden_layers": 10**9})
config("layers_negative", "-1", {"num_hidden_layers": -1})
config("heads_0", "num_attention_heads is 0", {"num_attention_heads": 0})
config("kv_heads_do_not_divide", "number of key/value heads is 3, expected 1 to 2", {"num_key_value_heads": 3})
config("activation_unknown", "hidden_act", {"hidden_act": "relu6"}, "unsupported")
config("half_rotated", "partial_rotary_factor is 0.5", {"partial_rotary_factor": 0.5}, "unsupported")
for method in ("gptq", "awq", "fp8", "compressed-tensors", "bitsandbytes", "hqq", "mxfp4"):
    config(f"quantized_by_{method.replace('-', '_')}", f"quantization method \"{method}\" is not supported",
           {"quantization_config": {"quant_method": method, "bits": 4}}, "unsupported")
config("quantized_by_nobody", "quantization method \"\" is not supported", {"quantization_config": {"bits": 4}}, "unsupported")
config("quantization_is_text", "quantization_config is string, expected an object", {"quantization_config": "gptq"})
config("bitnet_mode_unknown", "quantization_mode \"later\"",
       {"quantization_config": {"quant_method": "bitnet", "quantization_mode": "later"}}, "unsupported")
for index, (key, value) in enumerate((("quarot", True), ("rotation_config", {"R1": "hadamard"}), ("spinquant_r1", [1]),
                                      ("hadamard_block_size", 128))):
    config(f"transformed_{index}", f"config.json: {key} says that the weights are transformed", {key: value}, "unsupported")
ROPE = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8, "rope_theta": 1e4}
config("rope_is_text", "rope_scaling is string, expected an object", {"rope_scaling": "linear"})
config("rope_unknown", "rope scaling \"longrope\" is not supported", {"rope_scaling": {"rope_type": "longrope"}}, "unsupported")
config("rope_theta_is_text", "rope_theta is string", {"rope_parameters": ROPE | {"rope_theta": "1e4"}})
config("rope_theta_zero", "rope base is 0", {"rope_theta": 0})
config("yarn_factor_negative", "rope scaling factor is -4", {"rope_parameters": ROPE | {"factor": -4}})
config("yarn_mscale", "mscale of yarn", {"rope_parameters": ROPE | {"mscale": 1.0}}, "unsupported")
config("yarn_betas_reversed", "0 < beta_slow < beta_fast", {"rope_parameters": ROPE | {"beta_fast": 1, "beta_slow": 32}})
config("llama3_factor_zero", "factor", {"rope_scaling": {"rope_type": "llama3", "factor": 0.0, "low_freq_factor": 1.0,
                                                         "high_freq_factor": 4.0, "original_max_position_embeddings": 8}})

GEMMA3 = {"architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "hidden_activation": "gelu_pytorch_tanh",
          "head_dim": 4, "num_key_value_heads": 1, "sliding_window": 4, "query_pre_attn_scalar": 4}
config("layer_types_unknown", "layer_types has \"chunked_attention\"", GEMMA3 | {"layer_types": ["chunked_attention"]}, "unsupported")
config("layer_types_too_many", "layer_types has 2 entries for 1 layers",
       GEMMA3 | {"layer_types": ["full_attention", "sliding_attention"]})
config("layer_types_empty", "layer_types has 0 entries for 1 layers", GEMMA3 | {"layer_types": []})
config("layer_types_are_numbers", "layer_types is number, expected a list of strings", GEMMA3 | {"layer_types": [1]})
config("layer_types_is_text", "layer_types is string, expected a list of strings", GEMMA3 | {"layer_types": "full_attention"})
config("window_negative", "attention window is -4", GEMMA3 | {"sliding_window": -4})
config("window_pattern_is_text", "sliding_window_pattern is string", GEMMA3 | {"sliding_window_pattern": "6"})
config("window_pattern_negative", "sliding_window_pattern is -6", GEMMA3 | {"sliding_window_pattern": -6})
config("both_ways", "use_bidirectional_attention is true", GEMMA3 | {"use_bidirectional_attention": True}, "unsupported")
config("scalar_zero", "query_pre_attn_scalar is 0", GEMMA3 | {"query_pre_attn_scalar": 0})
config("rope_of_kinds_is_text", "full_attention is string, expected an object",
       GEMMA3 | {"rope_parameters": {"full_attention": "default"}})
config("text_config_is_a_list", "text_config is array, expected an object",
       GEMMA3 | {"architectures": ["Gemma3ForConditionalGeneration"], "text_config": []})
config("text_config_without_numbers", "config.json: hidden_size is string",
       {"architectures": ["Gemma3ForConditionalGeneration"], "text_config": {"hidden_size": "8"}})
QWEN3 = {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "num_key_value_heads": 1}
config("qwen3_head_dim_0", "head", QWEN3 | {"head_dim": 0})
config("qwen3_head_dim_odd", "expected an even number", QWEN3 | {"head_dim": 3})
config("qwen2_window_is_text", "sliding_window", {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2",
                                                  "use_sliding_window": True, "sliding_window": "all"})
config("mistral_window_is_text", "sliding_window is string", {"architectures": ["MistralForCausalLM"], "sliding_window": "all"})

# --- weights -----------------------------------------------------------------------------------------------------------
def weights(file, message, shapes=None, changes=None, metadata=None, code="bad_input"):
    files = SOUND | {"config.json": CONFIG | (changes or {}), "model.safetensors": safetensors(TENSORS | (shapes or {}), metadata)}
    folder(f"weights_{file}", message, files, code)


weights("unknown_tensor", "model.layers.0.mlp.experts.0.weight", {"model.layers.0.mlp.experts.0.weight": [1]}, code="unsupported")
weights("rotation_stored", "model.layers.0.self_attn.R1", {"model.layers.0.self_attn.R1": [2, 2]}, code="unsupported")
weights("another_shape", "model.norm.weight has shape [4], expected [8]", {"model.norm.weight": [4]})
weights("heads_contradict", "self_attn.k_proj.weight has shape [8, 8], expected [4, 8]", changes={"num_key_value_heads": 1})
weights("layers_contradict", "tensor model.layers.1.input_layernorm.weight is missing", changes={"num_hidden_layers": 2})
weights("metadata_transformed", "__metadata__: quarot says that the weights are transformed", metadata={"quarot": "1"},
        code="unsupported")
for method, name in (("gptq", "qweight"), ("awq", "qzeros"), ("bitsandbytes", "weight.absmax")):
    weights(f"of_{method}", f"model.layers.0.mlp.up_proj.{name}", {f"model.layers.0.mlp.up_proj.{name}": [1]}, code="unsupported")

# --- an index of several weight files ------------------------------------------------------------------------------------
HALVES = [dict(list(TENSORS.items())[:5]), dict(list(TENSORS.items())[5:])]
SHARDS = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
MAP = {name: SHARDS[i] for i in (0, 1) for name in HALVES[i]}


LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a2146" * 8 + b"\nsize 12345\n"
folder("weights_git_lfs_pointer", "model.safetensors: is a Git LFS pointer", {"config.json": CONFIG, "model.safetensors": LFS_POINTER})
folder("weights_absent", "it holds no weights", {"config.json": CONFIG}, code="not_found")
folder("weights_of_an_adapter", "it holds adapter_model.safetensors",
       {"config.json": CONFIG, "adapter_model.safetensors": ONE_TENSOR}, code="not_found")
folder("weights_without_their_index", "it holds model-00001-of-00002.safetensors, model-00002-of-00002.safetensors",
       {"config.json": CONFIG, "model-00001-of-00002.safetensors": ONE_TENSOR,
        "model-00002-of-00002.safetensors": ONE_TENSOR}, code="not_found")


def index(file, message, content, first=None, code="bad_input"):
    files = {"config.json": CONFIG, "tokenizer.json": TOKENIZER, "model.safetensors.index.json": content,
             SHARDS[0]: safetensors(first or HALVES[0]), SHARDS[1]: safetensors(HALVES[1])}
    folder(f"index_{file}", message, files, code)


index("ok", "", {"metadata": {}, "weight_map": MAP}, code="ok")
index("cut", "not valid JSON", json.dumps({"weight_map": MAP}).encode()[:-5])
index("deep", "nested", b"[" * 10000)
index("without_map", "has no \"weight_map\" object", {"metadata": {}})
index("map_empty", "\"weight_map\" is empty", {"weight_map": {}})
index("shard_is_a_number", "is not a string", {"weight_map": MAP | {"model.norm.weight": 1}})
index("shard_elsewhere", "expected the name of a file in the same folder", {"weight_map": MAP | {"model.norm.weight": "../a.safetensors"}})
index("shard_missing", "model-00003-of-00003.safetensors", {"weight_map": MAP | {"model.norm.weight": "model-00003-of-00003.safetensors"}},
      code="not_found")
index("shard_is_the_index", "model.safetensors.index.json", {"weight_map": MAP | {"model.norm.weight": "model.safetensors.index.json"}})
index("tensor_elsewhere", "should be in", {"weight_map": MAP | {"model.norm.weight": SHARDS[1]}})
index("tensor_in_two", "expected once", {"weight_map": MAP}, HALVES[0] | {"model.layers.0.mlp.down_proj.weight": SQUARE})

# --- pooling -------------------------------------------------------------------------------------------------------------
MODULES = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
           {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]


def pooling(file, message, modules=None, pool=None, code="bad_input"):
    files = SOUND | {"modules.json": MODULES if modules is None else modules}
    if pool is not ...:
        files["1_Pooling/config.json"] = {"pooling_mode_mean_tokens": True} if pool is None else pool
    folder(f"pooling_{file}", message, files, code)


def at(path, kind="Pooling"):
    return [MODULES[0], {"path": path, "type": f"sentence_transformers.models.{kind}"}]


pooling("ok", "", code="ok")
pooling("modules_cut", "not valid JSON", b'[{"idx": 0')
pooling("modules_deep", "nested", b"[" * 10000)
pooling("modules_are_an_object", "modules.json: is object, expected a list", {})
pooling("path_leads_out", "expected a folder beside it", at("../1_Pooling"))
pooling("path_absolute", "expected a folder beside it", at("/1_Pooling"))
pooling("path_is_a_number", "expected a folder beside it", at(1))
pooling("config_missing", "1_Pooling/config.json", pool=..., code="not_found")
pooling("config_is_a_list", "is array, expected an object", pool=[])
pooling("config_deep", "nested", pool=b"[" * 10000)
pooling("maximum", "sets pooling_mode_max_tokens", pool={"pooling_mode_max_tokens": True}, code="unsupported")
pooling("two", "sets pooling_mode_mean_tokens", pool={"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, code="unsupported")
pooling("dense_behind", "sentence_transformers.models.Dense follows the pooling", MODULES[:1] + [MODULES[1] | {"type": "sentence_transformers.models.Dense"}],
        code="unsupported")
