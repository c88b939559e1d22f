#!/usr/bin/env python3
"""Prefill and generation of the same files in Tern and in libllama, taking turns, on the same instruction set (AVX2).

usage: compare_engine.py FOLDER_WITH_LIBLLAMA TERN_BENCH_ENGINE FILE.gguf... [--prefill 512] [--generate 64] [--threads 2]
                         [--repetitions 7] [--clock wall|cpu] [--backend haswell] [--json OUT]

FOLDER_WITH_LIBLLAMA: see tests/golden/make/libllama.py. libllama loads libggml-cpu-haswell.so, Tern gets --isa avx2. Both
compute arbitrary token ids, F16 cache, logits of the last prompt token and of every generated one, no sampling. One warm-up
of each, then repetitions in turn; medians, spread (half the distance between the quartiles), and the ratio ours / theirs of
the tokens a second (above 1: Tern is faster). libllama repacks weights for this processor where it can, as by default.
--clock cpu counts the process's own time instead (one thread only): a busy machine disturbs it little.
A file that libllama refuses is measured alone. One file is measured in one process of each side.
"""

import argparse
import json
import pathlib
import time

import numpy as np
from turns import Bench, libllama, machine, summary


class Theirs:
    def __init__(self, llama, path, n_prefill, n_generate, n_threads):
        self.model = llama.load(path)
        self.context = self.model.context(n_prefill + n_generate, n_threads, n_batch=max(512, n_prefill))
        positions = np.arange(n_prefill + n_generate, dtype=np.int64)
        self.ids = (positions * 7919 + 13) % self.model.n_vocab
        self.n_prefill = n_prefill

    def run(self, clock):
        self.context.clear()
        # Only llama_decode is timed: filling the batch through ctypes would be Python's time.
        self.context.fill(self.ids[:self.n_prefill], 0, self.n_prefill - 1)
        start = clock()
        self.context.decode()
        prefill, generate = clock() - start, 0.0
        for position in range(self.n_prefill, len(self.ids)):
            self.context.fill(self.ids[position:position + 1], position, 0)
            start = clock()
            self.context.decode()
            generate += clock() - start
        return prefill, generate

    def close(self):
        self.context.close()
        self.model.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("bench")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--prefill", type=int, default=512)
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--backend", default="haswell", help="libggml-cpu-BACKEND.so; haswell is AVX2")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()

    if args.clock == "cpu" and args.threads != 1:
        parser.error("--clock cpu is for one thread: waiting threads spin, and that is not work")
    kind = "_cpu_" if args.clock == "cpu" else "_"
    llama = libllama.Libllama(args.folder, args.backend)
    report = {"machine": machine(), "library": llama.version, "threads": args.threads, "clock": args.clock, "prefill": args.prefill,
              "generate": args.generate, "repetitions": args.repetitions, "files": {}}
    print("file, prefill ours theirs ratio, generation ours theirs ratio (tokens/s, +-% of the median)")
    for path in args.files:
        ours = Bench(args.bench, path, "--prefill", args.prefill, "--generate", args.generate, "--threads", args.threads,
                     "--isa", "avx2")
        try:
            theirs = Theirs(llama, path, args.prefill, args.generate, args.threads)
        except SystemExit as refusal:
            print(refusal)
            theirs = None
        samples = {"ours_prefill": [], "ours_generate": [], "theirs_prefill": [], "theirs_generate": []}
        for repetition in range(args.repetitions + 1):
            answer = ours.ask()
            clock = time.process_time if args.clock == "cpu" else time.perf_counter
            peer = theirs.run(clock) if theirs else (float("nan"), float("nan"))
            if repetition == 0:
                continue
            samples["ours_prefill"].append(args.prefill / answer[f"prefill{kind}seconds"])
            samples["ours_generate"].append(args.generate / answer[f"generate{kind}seconds"])
            samples["theirs_prefill"].append(args.prefill / peer[0])
            samples["theirs_generate"].append(args.generate / peer[1])
        ours.close()
        entry = {name: dict(zip(("median", "spread_percent"), summary(values)), samples=values)
                 for name, values in samples.items() if theirs or name.startswith("ours")}
        report["files"][path.name] = entry
        cells = [path.name]
        for phase in ("prefill", "generate"):
            mine = entry[f"ours_{phase}"]
            cells.append(f"{mine['median']:.0f} +-{mine['spread_percent']:.0f}%")
            if theirs:
                other = entry[f"theirs_{phase}"]
                entry[f"ratio_{phase}"] = mine["median"] / other["median"]
                cells += [f"{other['median']:.0f} +-{other['spread_percent']:.0f}%", f"{entry[f'ratio_{phase}']:.2f}"]
        print(", ".join(cells), flush=True)
        if theirs:
            theirs.close()
    report["machine"]["load_1_min_at_end"] = machine()["load_1_min"]
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
