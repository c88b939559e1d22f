#!/usr/bin/env python3
"""Seconds until a file is ready to run, and peak memory of a short run, in Tern and in libllama, a fresh process each time.

usage: compare_load.py FOLDER_WITH_LIBLLAMA TERN TERN_BENCH_ENGINE FILE.gguf... [--prefill 64] [--generate 16]
                       [--threads 2] [--repetitions 5] [--json OUT]

The file is in the page cache (it is read once before). Load: Tern's bench reports seconds from the start of loading to a
session that can decode; libllama is timed from llama_model_load_from_file to a context. Both map the file. "first answer"
adds one prefill, which brings every weight into memory for the first time. `tern info` is timed as a process.
Memory: VmHWM of the process after the run. For libllama that process is Python: its VmHWM after the libraries are loaded and
before the model is taken off. A mapped file counts as far as its pages were touched, in both.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
from turns import Bench, libllama, machine, summary


def peak():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def child(folder, path, n_prefill, n_generate, n_threads):
    llama = libllama.Libllama(folder, "haswell")
    base = peak()
    start = time.perf_counter()
    model = llama.load(path)
    context = model.context(n_prefill + n_generate, n_threads, n_batch=512)
    load = time.perf_counter() - start
    ids = (np.arange(n_prefill + n_generate) * 7919 + 13) % model.n_vocab
    context.run(ids[:n_prefill], 0, n_prefill - 1)
    first = time.perf_counter() - start
    for position in range(n_prefill, len(ids)):
        context.run(ids[position:position + 1], position, 0)
    print(json.dumps({"load": load, "first": first, "peak": peak() - base}))


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--child":
        child(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7]))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("tern")
    parser.add_argument("bench")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--prefill", type=int, default=64)
    parser.add_argument("--generate", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    report = {"machine": machine(), "files": {}}
    for path in args.files:
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass
        samples = {key: [] for key in ("info", "ours_load", "ours_first", "ours_peak", "theirs_load", "theirs_first",
                                       "theirs_peak")}
        for _ in range(args.repetitions):
            start = time.perf_counter()
            subprocess.run([args.tern, "info", path], check=True, stdout=subprocess.DEVNULL)
            samples["info"].append(time.perf_counter() - start)
            ours = Bench(args.bench, path, "--prefill", args.prefill, "--generate", args.generate, "--threads", args.threads,
                         "--isa", "avx2")
            answer = ours.ask()
            ours.close()
            samples["ours_load"].append(ours.hello["load_seconds"])
            samples["ours_first"].append(ours.hello["load_seconds"] + answer["prefill_seconds"])
            samples["ours_peak"].append(answer["peak_bytes"] / 1e6)
            done = subprocess.run([sys.executable, __file__, "--child", args.folder, path, str(args.prefill),
                                   str(args.generate), str(args.threads)], capture_output=True, text=True)
            if done.returncode == 0:
                answer = json.loads(done.stdout.splitlines()[-1])
                samples["theirs_load"].append(answer["load"])
                samples["theirs_first"].append(answer["first"])
                samples["theirs_peak"].append(answer["peak"] / 1e6)
        entry = {key: dict(zip(("median", "spread_percent"), summary(values))) for key, values in samples.items() if values}
        entry["mb"] = path.stat().st_size / 1e6
        report["files"][path.name] = entry
        print(path.name, f"{entry['mb']:.0f} MB:", ", ".join(
            f"{key} {entry[key]['median']:.4g} +-{entry[key]['spread_percent']:.0f}%" for key in samples if key in entry),
            flush=True)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
