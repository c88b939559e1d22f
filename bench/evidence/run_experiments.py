#!/usr/bin/env python3
"""Runs the experiments behind docs/training-evidence.md and keeps what each came to.

usage: run_experiments.py TERN DATA TEXT FOLDER RESULTS.json [EXPERIMENT...] [--threads 1] [--workers 2]

DATA is what `tern data pack` made, TEXT a held-out text that exported files are measured on. Every run lives in
FOLDER/<name>; one that was stopped goes on from its checkpoint, one that is in RESULTS.json, made of the same data, is not
run again. RESULTS.json (here: results.json) gets a line for each run: settings, command, held-out losses, seconds, what
broke, the files it was exported to, and where it was run.
Runs go side by side, one thread each: more tokens a second than one run with two threads, and a run's bits are the same.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import shlex
import shutil
import subprocess
import threading
import time

from experiments import EXPERIMENTS, FILES


def begin_command(data, folder, run):
    words = ["tern", "train", "--data", str(data), "-o", str(folder)]
    for key, value in run["settings"].items():
        words += ["--set", f"{key}={value}"]
    return words


def folder_name(run):
    return run["name"].split("/")[1].replace(" ", "_").replace(",", "")


def command(options, folder, run):
    words = begin_command(options.data, folder, run)
    if any(folder.glob("checkpoint-*.safetensors")):
        words = ["tern", "train", "--resume", "--data", options.data, "-o", str(folder)]
    return [options.tern, *words[1:], "-t", str(options.threads)]


def outcome(folder, ended):
    steps, held_out = [], {}
    log = folder / "log.jsonl"
    for line in log.read_text().splitlines() if log.exists() else []:
        entry = json.loads(line)
        if "validation" in entry:
            held_out = entry["validation"]
        elif "loss" in entry:
            steps.append(entry)
    return {"finished": ended.returncode == 0, "error": ended.stderr.strip().splitlines()[-1] if ended.returncode else "",
            "held_out": held_out, "tokens": steps[-1]["tokens"] if steps else 0,
            "seconds": round(sum(s["seconds"] for s in steps), 1)}


def origin(options):
    """What a result came from beside its settings."""
    version = subprocess.run([options.tern, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {"tern": version, "data": fingerprint(options.data), "cpu": names[0] if names else "unknown"}


def fingerprint(data):
    return hashlib.sha256((pathlib.Path(data) / "data.json").read_bytes()).hexdigest()[:16]


def exported(options, folder, kind):
    """The files a person would keep: their sizes, and how well they predict."""
    out = {"files": {}}
    for matrices, embedding in FILES.get(kind, []):
        target = folder / "kept.gguf"
        done = subprocess.run([options.tern, "train", "export", str(folder), "-o", str(target), "--outtype", matrices,
                               "--embedding", embedding, "--force", "--json"], capture_output=True, text=True)
        if done.returncode:
            out["files"][matrices] = {"error": done.stderr.strip()}
            continue
        report = json.loads(done.stdout)
        scored = subprocess.run([options.tern, "perplexity", "-m", str(target), "-f", options.text, "-c", "256", "-t",
                                 str(options.threads), "--json"], capture_output=True, text=True, check=True)
        out["parameters"] = report["parameters"]
        out["files"][matrices] = {"bytes": report["file_bytes"], "bits_per_byte": json.loads(scored.stdout)["bits_per_byte"]}
        target.unlink()
    return out


def complete(options, run, stale):
    """The run from where it stands to its end; what it came to."""
    folder = options.folder / run["name"].split("/")[0] / folder_name(run)
    if stale:
        shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(command(options, folder, run), capture_output=True, text=True)
    if ended.returncode < 0 or ended.returncode == 130:
        raise SystemExit(f"{run['name']}: stopped")
    kind = {"none": "float", "absmean": "ternary", "sign": "binary"}[run["settings"]["quantization.weights"]]
    result = {**run, **outcome(folder, ended), **exported(options, folder, kind)}
    return {**result, **options.origin, "date": time.strftime("%Y-%m-%d")}


def keep(results, path):
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(result)}" for name, result in sorted(results.items()))
    temporary = path.with_suffix(".tmp")
    temporary.write_text("{\n" + lines + "\n}\n")
    temporary.rename(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tern")
    parser.add_argument("data")
    parser.add_argument("text")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("experiments", nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    results = json.loads(options.results.read_text()) if options.results.exists() else {}
    options.origin = origin(options)
    results = {name: result for name, result in results.items() if result["data"] == options.origin["data"]}
    lock = threading.Lock()

    def work(run):
        with lock:
            known = results.get(run["name"])
            if known and known["settings"] == run["settings"]:
                return
            twin = next((r for r in results.values() if r["settings"] == run["settings"]), None)
        result = {**twin, **run} if twin else complete(options, run, stale=known is not None)
        result["command"] = shlex.join(begin_command("DATA", folder_name(run), run))
        with lock:
            results[run["name"]] = result
            keep(results, options.results)
        held = {k: round(v["nats_per_token"], 4) for k, v in result["held_out"].items() if v["nats_per_token"]}
        print(run["name"], held or result["error"], "(known)" if twin else "", flush=True)

    runs = [run for name in options.experiments or EXPERIMENTS for run in EXPERIMENTS[name]()]
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        for done in [pool.submit(work, run) for run in runs]:
            done.result()


if __name__ == "__main__":
    main()
