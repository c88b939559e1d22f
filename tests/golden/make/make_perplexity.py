#!/usr/bin/env python3
"""Makes data/perplexity.json: what libllama says about the perplexity of files that Tern wrote, and about their token ids.

usage: make_perplexity.py FOLDER_WITH_LIBLLAMA DATA_FOLDER OUTPUT_JSON [--chunks N] [--texts NAME...] FILE.gguf...
       make_perplexity.py FOLDER_WITH_LIBLLAMA data own_models.json models/*.gguf --texts stories.txt plain.txt

FOLDER_WITH_LIBLLAMA: see libllama.py. DATA_FOLDER holds eval/wiki.test.raw and eval/ptb.test.txt, or the texts named: the second
line, from the root of the tree, makes data/own_models.json, about the models that ship. The other files are Tern's own,
made from DATA_FOLDER/models as written down in COMMANDS below; their names say how: <model>-<TYPE>.gguf for `tern quantize`,
<model>-pure-<TYPE>.gguf for `tern quantize --pure`, <model>-F32.gguf for `tern convert`. A SHA-256 over the file's
data section goes into the output, so that a test can see that it measures the very file that was measured here.

The protocol is that of llama.cpp's perplexity tool: one newline at the end of the file is dropped; the whole text is
tokenised once, with BOS where the vocabulary adds it and special-token strings as plain text; chunks of n_ctx = min(512,
trained context) tokens with an empty cache each, the first token overwritten by BOS where the vocabulary adds one; the second
half is scored. Three runs of each file:
  default   F16 cache, flash attention as the library chooses (what `llama-perplexity` does)
  f16       F16 cache, flash attention off
  f32       F32 cache, flash attention off
"""

import argparse
import ctypes
import hashlib
import json
import pathlib

import numpy as np

import libllama

COMMANDS = [
    "tern convert models/reference-float --outfile reference-float-F32.gguf --outtype f32",
    "tern convert models/llama2c-stories260K/stories260K.bin --tokenizer models/llama2c-stories260K/tok512.bin "
    "--outfile stories260K-F32.gguf --outtype f32",
    "tern quantize reference-float-F32.gguf reference-float-TYPE.gguf TYPE",
    "tern quantize --pure reference-float-F32.gguf reference-float-pure-TYPE.gguf TYPE",
]
TEXTS = ["wiki.test.raw", "ptb.test.txt"]
RUNS = {"default": (libllama.F16, libllama.FLASH_AUTO), "f32_cache": (libllama.F32, libllama.FLASH_OFF)}


def data_hash(llama, path):
    """Bytes and SHA-256 of the data section, from its first byte to the end of the file."""
    class InitParams(ctypes.Structure):
        _fields_ = [("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p)]

    base = llama.base
    base.gguf_init_from_file.restype = ctypes.c_void_p
    base.gguf_init_from_file.argtypes = [ctypes.c_char_p, InitParams]
    base.gguf_get_data_offset.restype = ctypes.c_size_t
    base.gguf_get_data_offset.argtypes = base.gguf_free.argtypes = [ctypes.c_void_p]
    handle = base.gguf_init_from_file(str(path).encode(), InitParams(True, None))
    data = path.read_bytes()[base.gguf_get_data_offset(handle):]
    base.gguf_free(handle)
    return len(data), hashlib.sha256(data).hexdigest()


def perplexity(context, ids, n_ctx, n_chunks, bos, adds_bos):
    first = n_ctx // 2
    total, total_squares, count = 0.0, 0.0, 0
    for c in range(n_chunks):
        chunk = ids[c * n_ctx:(c + 1) * n_ctx].copy()
        if adds_bos:
            chunk[0] = bos
        context.clear()
        logits = context.run(chunk, 0, first)[:-1].astype(np.float64)
        top = logits.max(axis=1)
        log_sum = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        nll = log_sum - logits[np.arange(len(logits)), chunk[first + 1:]]
        total, total_squares, count = total + nll.sum(), total_squares + (nll * nll).sum(), count + len(nll)
    mean = total / count
    error = np.sqrt((total_squares / count - mean * mean) / (count - 1))
    return float(np.exp(mean)), float(np.exp(mean) * error), count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--chunks", type=int, default=40)
    parser.add_argument("--texts", nargs="+", default=TEXTS)
    parser.add_argument("--backend", default="haswell")
    parser.add_argument("--threads", type=int, default=1, help="the library's threads spin: 1 on a busy machine")
    args = parser.parse_args()

    llama = libllama.Libllama(args.folder, args.backend)
    texts = {name: (args.data / "eval" / name).read_bytes() for name in args.texts}
    result = {"made_by": "tests/golden/make/make_perplexity.py", "library": llama.version,
              "package": "npm @node-llama-cpp/linux-x64", "commands": COMMANDS if args.texts == TEXTS else ["models/make_models.sh"],
              "chunks": args.chunks, "ids": {}, "files": {}}
    for path in args.files:
        n_bytes, sha = data_hash(llama, path)
        model = llama.load(path)
        n_ctx = min(512, model.n_ctx_train)
        family = path.name.rsplit("-", 1)[0].removesuffix("-pure")
        ids = {}
        for name, text in texts.items():
            ids[name] = model.tokenize(text[:-1] if text.endswith(b"\n") else text, add_special=True)
            summary = {"n": len(ids[name]), "sha256": hashlib.sha256(ids[name].astype("<i4").tobytes()).hexdigest(),
                       "first": [int(i) for i in ids[name][:8]], "adds_bos": bool(model.adds_bos)}
            if result["ids"].setdefault(family, {}).setdefault(name, summary) != summary:
                raise SystemExit(f"{path}: other ids than the family's first file")
        entry = {"data_bytes": n_bytes, "data_sha256": sha, "n_ctx": n_ctx}
        for run, (kv, flash) in RUNS.items():
            context = model.context(n_ctx, args.threads, kv, flash)
            entry[run] = {}
            for name in texts:
                value, error, count = perplexity(context, ids[name], n_ctx, args.chunks, model.bos, model.adds_bos)
                entry[run][name] = {"perplexity": value, "stderr": error, "scored": count}
            context.close()
        model.close()
        result["files"][path.name] = entry
        print(path.name, {run: round(entry[run][args.texts[0]]["perplexity"], 4) for run in RUNS}, flush=True)
    args.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
