#!/usr/bin/env python3
"""Writes a LLaMA of the 100-million class with random weights as a GGUF file in F32, for timing; it says nothing sensible.

usage: make_random_model.py TOKENIZER_GGUF OUTPUT.gguf [--hidden 768 --layers 12 --ff 2048 --heads 12 --kv-heads 12]
                            [--vocab 32000] [--context 2048] [--untied]

Every tokenizer.* key is taken over from TOKENIZER_GGUF (a vocabulary-only file of 32,000 tokens, say); other vocabularies
are cut or padded with unused tokens. Weights are normal with sigma 0.02, seeded. With --untied the head has its own table;
--layers 32 --ff 8192 --hidden 2048 --heads 16 gives a file of several gigabytes for load times.
"""

import argparse
import pathlib

import gguf
import numpy as np


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    for name, default in (("hidden", 768), ("layers", 12), ("ff", 2048), ("heads", 12), ("kv-heads", 12),
                          ("vocab", 32000), ("context", 2048)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--untied", action="store_true")
    args = parser.parse_args()

    reader = gguf.GGUFReader(args.tokenizer)
    n_vocab = args.vocab
    writer = gguf.GGUFWriter(args.output, "llama")
    for name, field in reader.fields.items():
        if not name.startswith("tokenizer."):
            continue
        value = field.contents()
        if isinstance(value, list) and name != "tokenizer.ggml.merges":
            filler = {"tokenizer.ggml.tokens": lambda i: f"[unused{i}]", "tokenizer.ggml.scores": lambda i: -1e6,
                      "tokenizer.ggml.token_type": lambda i: 5}.get(name)
            value = value[:n_vocab] + ([filler(i) for i in range(len(value), n_vocab)] if filler else [])
        if isinstance(value, list):
            if name == "tokenizer.ggml.scores":
                value = [float(v) for v in value]
            writer.add_array(name, value)
        else:
            writer.add_key_value(name, value, field.types[0])
    writer.add_name("random")
    writer.add_context_length(args.context)
    writer.add_embedding_length(args.hidden)
    writer.add_block_count(args.layers)
    writer.add_feed_forward_length(args.ff)
    writer.add_head_count(args.heads)
    writer.add_head_count_kv(args.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(args.hidden // args.heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(n_vocab)

    rng = np.random.Generator(np.random.PCG64(20261121))
    head_dim = args.hidden // args.heads
    shapes = {"token_embd.weight": (n_vocab, args.hidden)}
    for layer in range(args.layers):
        p = f"blk.{layer}."
        shapes |= {p + "attn_norm.weight": (args.hidden,), p + "attn_q.weight": (args.hidden, args.hidden),
                   p + "attn_k.weight": (args.kv_heads * head_dim, args.hidden),
                   p + "attn_v.weight": (args.kv_heads * head_dim, args.hidden),
                   p + "attn_output.weight": (args.hidden, args.hidden), p + "ffn_norm.weight": (args.hidden,),
                   p + "ffn_gate.weight": (args.ff, args.hidden), p + "ffn_up.weight": (args.ff, args.hidden),
                   p + "ffn_down.weight": (args.hidden, args.ff)}
    shapes["output_norm.weight"] = (args.hidden,)
    if args.untied:
        shapes["output.weight"] = (n_vocab, args.hidden)
    for name, shape in shapes.items():
        writer.add_tensor_info(name, shape, np.dtype(np.float32), int(np.prod(shape)) * 4)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, shape in shapes.items():
        if name.endswith("norm.weight"):
            values = np.ones(shape, dtype=np.float32)
        else:
            values = rng.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
        writer.write_tensor_data(values)
    writer.close()
    print(f"{args.output}: {sum(int(np.prod(s)) for s in shapes.values()):,} parameters")


if __name__ == "__main__":
    main()
