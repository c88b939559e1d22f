#!/usr/bin/env python3
"""Writes a Hugging Face folder of one tiny layer of zeros, so that `tern convert` can put a vocabulary into a GGUF file:

usage: make_vocabulary_folder.py FOLDER N_VOCABULARY
       tern convert FOLDER --tokenizer TOKENIZER --outfile vocabulary.gguf --outtype q8_0
"""

import json
import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file


def main():
    folder, n_vocab, width = pathlib.Path(sys.argv[1]), int(sys.argv[2]), 64
    folder.mkdir(parents=True, exist_ok=True)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "float32", "hidden_size": width,
              "intermediate_size": width, "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1,
              "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "vocab_size": n_vocab, "tie_word_embeddings": True,
              "rope_theta": 500000.0, "hidden_act": "silu"}
    (folder / "config.json").write_text(json.dumps(config))
    layer = "model.layers.0."
    tensors = {"model.embed_tokens.weight": (n_vocab, width), "model.norm.weight": (width,)}
    tensors |= {f"{layer}{name}_layernorm.weight": (width,) for name in ("input", "post_attention")}
    tensors |= {f"{layer}self_attn.{name}_proj.weight": (width, width) for name in "qkvo"}
    tensors |= {f"{layer}mlp.{name}_proj.weight": (width, width) for name in ("gate", "up", "down")}
    save_file({name: np.zeros(shape, dtype=np.float32) for name, shape in tensors.items()}, folder / "model.safetensors")


if __name__ == "__main__":
    main()
