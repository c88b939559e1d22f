#!/usr/bin/env python3
"""Tables (Markdown, on stdout) and plots of what run_experiments.py found, for docs/training-evidence.md.

usage: report.py RESULTS.json FOLDER_FOR_PLOTS
"""

import collections
import json
import pathlib
import statistics
import sys

from energy import joules_per_token
from plots import plot

SOURCE = "stories"


def loss(run):
    value = run["held_out"].get(SOURCE, {}).get("nats_per_token")
    return value if run["finished"] else None


def mean_and_spread(values):
    known = [v for v in values if v is not None]
    if not known:
        return None, 0.0
    return statistics.mean(known), statistics.stdev(known) if len(known) > 1 else 0.0


def shown(mean, spread):
    return "broke" if mean is None else f"{mean:.4f} ± {spread:.4f}" if spread else f"{mean:.4f}"


def rates(results, folder):
    table = collections.defaultdict(dict)
    for name, run in results.items():
        if name.startswith("rates/"):
            kind, rate = name[len("rates/"):].split("-", 1)
            table[kind][float(rate)] = loss(run)
    if not table:
        return
    all_rates = sorted({rate for values in table.values() for rate in values})
    print("| learning rate |", " | ".join(f"{rate:g}" for rate in all_rates), "|")
    print("|---" * (len(all_rates) + 1) + "|")
    for kind, values in table.items():
        print(f"| {kind} |", " | ".join(shown(values.get(rate), 0.0) for rate in all_rates), "|")
    plot(folder / "training-rates.svg", "Held-out loss over the learning rate", "peak learning rate", "nats a token",
         {kind: [(rate, value, 0.0) for rate, value in values.items()] for kind, values in table.items()}, log_x=True)


def stages(results, folder):
    table = collections.defaultdict(list)
    for name, run in results.items():
        if name.startswith("stages/"):
            table[name[len("stages/"):].rsplit("-", 1)[0].replace("_", " ")].append(loss(run))
    if not table:
        return
    print("\n| schedule | held-out loss | seeds |\n|---|---|---|")
    rows = [(recipe, *mean_and_spread(values), len(values)) for recipe, values in table.items()]
    for recipe, mean, spread, n in sorted(rows, key=lambda row: row[1] or 1e9):
        print(f"| {recipe.replace('-', ', ')} | {shown(mean, spread)} | {n} |")
    plot(folder / "training-stages.svg", "Held-out loss of schedules", "schedule", "nats a token",
         {recipe: [(i, mean, spread)] for i, (recipe, mean, spread, _) in enumerate(rows)}, lines=False)


def sizes(results, folder):
    table = collections.defaultdict(lambda: collections.defaultdict(list))
    settings = {}
    for name, run in results.items():
        if name.startswith("sizes/"):
            kind, width, _ = name[len("sizes/"):].split("-")
            table[kind][int(width)].append(loss(run))
            settings[kind, int(width)] = run
    if not table:
        return
    print("\n| weights | width | parameters | file, MB | held-out loss | energy a token, uJ |\n|---|---|---|---|---|---|")
    by_parameters, by_bytes, by_energy = {}, {}, {}
    for kind, widths in table.items():
        for width, values in sorted(widths.items()):
            mean, spread = mean_and_spread(values)
            run = settings[kind, width]
            if "file_bytes" not in run:
                print(f"| {kind} | {width} | no export | | {shown(mean, spread)} | |")
                continue
            parameters, n_bytes = run["parameters"], run["file_bytes"]
            joules = joules_per_token(run["settings"], kind)
            print(f"| {kind} | {width} | {parameters:,} | {n_bytes / 1e6:.2f} | {shown(mean, spread)} | {1e6 * joules:.1f} |")
            by_parameters.setdefault(kind, []).append((parameters, mean, spread))
            by_bytes.setdefault(kind, []).append((n_bytes, mean, spread))
            by_energy.setdefault(kind, []).append((1e6 * joules, mean, spread))
    plot(folder / "training-sizes.svg", "Held-out loss over parameters", "parameters", "nats a token", by_parameters, log_x=True)
    plot(folder / "training-bytes.svg", "Held-out loss over bytes", "bytes of the file", "nats a token", by_bytes, log_x=True)
    plot(folder / "training-energy.svg", "Held-out loss over energy", "energy of the matrices a token, uJ", "nats a token",
         by_energy, log_x=True)


def main():
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for part in (rates, stages, sizes):
        part(results, folder)


if __name__ == "__main__":
    main()
