#!/usr/bin/env python3
"""Tokenizer speed on one thread: Tern, libllama and tiktoken with the same vocabulary on the same text, taking turns;
time of the thread, not of the wall clock.

usage: compare_tokenizer.py FOLDER_WITH_LIBLLAMA TERN_BENCH_TOKENIZER VOCABULARY.gguf TEXT [--ranks TIKTOKEN_RANKS]
                            [--repetitions 5] [--json OUT]

VOCABULARY.gguf: any GGUF file that carries the tokenizer. --ranks: the tiktoken rank file of the same vocabulary, with
LLaMA 3's pattern. The ids of all sides must be equal in number, and libllama's and tiktoken's in value.
"""

import argparse
import json
import pathlib
import time

import numpy as np
from turns import Bench, libllama, machine, summary

LLAMA3_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
                  r"|\s+(?!\S)|\s+")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("bench")
    parser.add_argument("vocabulary", type=pathlib.Path)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--ranks", type=pathlib.Path)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    text = args.text.read_bytes()
    llama = libllama.Libllama(args.folder, "haswell")
    start = time.thread_time()
    model = llama.load(args.vocabulary, vocab_only=True)
    seconds = {"build_theirs": time.thread_time() - start}
    ours = Bench(args.bench, args.vocabulary, args.text)
    seconds["build_ours"] = ours.hello["build_seconds"]
    encoder = None
    if args.ranks:
        import tiktoken
        from tiktoken.load import load_tiktoken_bpe
        encoder = tiktoken.Encoding("llama3", pat_str=LLAMA3_PATTERN, mergeable_ranks=load_tiktoken_bpe(str(args.ranks)),
                                    special_tokens={})
    samples = {"ours": [], "libllama": [], "tiktoken": []}
    for repetition in range(args.repetitions + 1):
        answer = ours.ask()
        start = time.thread_time()
        ids = model.tokenize(text, add_special=False)
        theirs = len(text) / (time.thread_time() - start) / 1e6
        if len(ids) != answer["n_ids"]:
            raise SystemExit(f"Tern makes {answer['n_ids']} ids, libllama {len(ids)}")
        if encoder:
            string = text.decode()
            start = time.thread_time()
            other = encoder.encode_ordinary(string)
            rate = len(text) / (time.thread_time() - start) / 1e6
            if not np.array_equal(ids, np.array(other)):
                raise SystemExit("libllama and tiktoken make different ids")
        if repetition:
            samples["ours"].append(answer["mb_per_second"])
            samples["libllama"].append(theirs)
            if encoder:
                samples["tiktoken"].append(rate)
    ours.close()
    report = {"machine": machine(), "library": llama.version, "bytes": len(text), "ids": len(ids), "seconds": seconds,
              "mb_per_second": {key: summary(values) for key, values in samples.items() if values}}
    print(json.dumps(report, indent=1))
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
