#!/usr/bin/env python3
"""Runs the experiments behind docs/training-evidence.md, one after the other, and keeps what each came to.

usage: run_experiments.py TERN DATA FOLDER RESULTS.json [EXPERIMENT...] [--threads 1] [--workers 2]

DATA is what `tern data pack` made. Every run lives in FOLDER/<name>; one that was stopped goes on from its checkpoint, one that
is in RESULTS.json is not run again. RESULTS.json gets, for each run: settings, held-out losses, curve, seconds, and what broke.
Runs go side by side, one thread each: more tokens a second than one run with two threads, and a run's bits are the same.
"""

import argparse
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import threading

from experiments import EXPERIMENTS


def command(tern, data, folder, run, threads):
    words = [tern, "train", "--data", data, "-o", str(folder), "-t", str(threads)]
    if any(folder.glob("checkpoint-*.safetensors")):
        return words + ["--resume"]
    for key, value in run["settings"].items():
        words += ["--set", f"{key}={value}"]
    return words


def outcome(folder, ended):
    steps, held_out = [], {}
    log = folder / "log.jsonl"
    for line in log.read_text().splitlines() if log.exists() else []:
        entry = json.loads(line)
        if "validation" in entry:
            held_out = entry["validation"]
        elif "loss" in entry:
            steps.append(entry)
    every = max(1, len(steps) // 60)
    return {"finished": ended.returncode == 0, "error": ended.stderr.strip().splitlines()[-1] if ended.returncode else "",
            "held_out": held_out, "steps": len(steps), "tokens": steps[-1]["tokens"] if steps else 0,
            "seconds": round(sum(s["seconds"] for s in steps), 1),
            "curve": [[s["step"], None if s["loss"] is None else round(s["loss"], 4)] for s in steps[every - 1::every]]}


def exported(tern, folder, kind):
    """Parameters, and the size of the file a person would keep: packed matrices, Q6_K embedding; F16 for float."""
    target = folder / "sized.gguf"
    types = ["--outtype", "F16"] if kind == "float" else ["--embedding", "Q6_K"]
    done = subprocess.run([tern, "train", "export", str(folder), "-o", str(target), "--force", "--json", *types],
                          capture_output=True, text=True)
    if done.returncode:
        return {}
    target.unlink()
    report = json.loads(done.stdout)
    return {"parameters": report["parameters"], "file_bytes": report["file_bytes"]}


def complete(options, run, stale):
    """The run from where it stands to its end; what it came to."""
    folder = options.folder / run["name"]
    if stale:
        shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(command(options.tern, options.data, folder, run, options.threads), capture_output=True, text=True)
    if ended.returncode < 0 or ended.returncode == 130:
        raise SystemExit(f"{run['name']}: stopped")
    kind = run["name"].split("/")[1].split("-")[0]
    return {**run, **outcome(folder, ended), **exported(options.tern, folder, kind)}


def keep(results, path):
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(results, indent=1) + "\n")
    temporary.rename(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tern")
    parser.add_argument("data")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("experiments", nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    results = json.loads(options.results.read_text()) if options.results.exists() else {}
    lock = threading.Lock()

    def work(run):
        known = results.get(run["name"])
        if known and known["settings"] == run["settings"]:
            return
        result = complete(options, run, stale=known is not None)
        with lock:
            results[run["name"]] = result
            keep(results, options.results)
        held = {k: round(v["nats_per_token"], 4) for k, v in result["held_out"].items() if v["nats_per_token"]}
        print(run["name"], held or result["error"], flush=True)

    runs = [run for name in options.experiments or EXPERIMENTS for run in EXPERIMENTS[name]()]
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        for done in [pool.submit(work, run) for run in runs]:
            done.result()


if __name__ == "__main__":
    main()
