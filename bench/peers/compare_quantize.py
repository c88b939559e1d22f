#!/usr/bin/env python3
"""Speed of every encoder in Tern and in libggml (ggml_quantize_chunk), one thread each, taking turns; time of the
thread, not of the wall clock.

usage: compare_quantize.py FOLDER_WITH_LIBGGML TERN_BENCH_QUANTIZE [--mib 16] [--repetitions 5] [--json OUT]

MB/s of float32 input, normal values of sigma 0.02 in rows of 4096 (the values of the two sides come from different
generators of that distribution). I2_S has no peer there.
"""

import argparse
import json
import pathlib
import time

import numpy as np
from turns import Bench, libllama, machine, summary

TYPES = {"F16": 1, "BF16": 30, "Q8_0": 8, "Q6_K": 14, "Q5_K": 13, "Q5_1": 7, "Q5_0": 6, "Q4_K": 12, "Q4_1": 3, "Q4_0": 2,
         "Q3_K": 11, "Q2_K": 10, "Q2_0": 42, "TQ2_0": 35, "TQ1_0": 34, "Q1_0": 41, "I2_S": None}
ROW = 4096


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("bench")
    parser.add_argument("--mib", type=int, default=16)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    llama = libllama.Libllama(args.folder, "haswell")
    rng = np.random.Generator(np.random.PCG64(20261121))
    values = rng.standard_normal(args.mib * 262144, dtype=np.float32) * np.float32(0.02)
    out = np.empty(values.nbytes, dtype=np.uint8)
    ours = Bench(args.bench, "--mib", args.mib, hello=False)
    report = {"machine": machine(), "library": llama.version, "formats": {}}
    print("format, ours, theirs (MB/s), ratio")
    for name, type_id in TYPES.items():
        mine, peer = [], []
        for repetition in range(args.repetitions + 1):
            rate = ours.ask(name)["mb_per_second"]
            if repetition:
                mine.append(rate)
            if type_id is not None:
                start = time.thread_time()
                llama.base.ggml_quantize_chunk(type_id, values.ctypes.data, out.ctypes.data, 0, values.size // ROW, ROW, None)
                if repetition:
                    peer.append(values.nbytes / (time.thread_time() - start) / 1e6)
        entry = {"ours": summary(mine), "theirs": summary(peer) if peer else None}
        report["formats"][name] = entry
        line = f"{name}, {entry['ours'][0]:.0f} +-{entry['ours'][1]:.0f}%"
        if peer:
            entry["ratio"] = entry["ours"][0] / entry["theirs"][0]
            line += f", {entry['theirs'][0]:.0f} +-{entry['theirs'][1]:.0f}%, {entry['ratio']:.2f}"
        print(line, flush=True)
    ours.close()
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
