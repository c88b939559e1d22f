#!/usr/bin/env python3
"""Tables (Markdown, on standard output) and plots (SVG, into FOLDER) of what run_experiments.py measured.

usage: report.py RESULTS.json FOLDER

A spread is the standard deviation over seeds. Differences are of runs with the same seed, which saw the same tokens in the same
order: their spread is smaller than that of the losses. A run that broke counts as broken, never as missing.
"""

import collections
import json
import pathlib
import statistics
import sys

from energy import joules_per_token
from plots import plot

SOURCE = "stories"
KINDS = ["float", "llama float", "ternary", "binary"]
BASELINE = "one stage, decay kept"


def loss(run):
    value = run["held_out"].get(SOURCE, {}).get("nats_per_token")
    return value if run["finished"] else None


def mean_and_spread(values):
    if not values or None in values:
        return None, 0.0
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def shown(values):
    if not values:
        return ""
    mean, spread = mean_and_spread(values)
    return "broke" if mean is None else f"{mean:.3f} ± {spread:.3f}" if len(values) > 1 else f"{mean:.3f}"


def difference(loss, baseline):
    return None if loss is None or baseline is None else loss - baseline


def parts(results, experiment):
    """(name without its experiment and seed, seed, run) of an experiment's runs, kinds in the order of KINDS."""
    for name, run in sorted(results.items(), key=lambda item: next(
            (i for i, kind in enumerate(KINDS) if item[0].split("/")[1].startswith(kind + "-")), len(KINDS))):
        if name.startswith(experiment + "/"):
            what, seed = name[len(experiment) + 1:].rsplit("-", 1)
            yield what, int(seed), run


def table(head, rows):
    print("\n|", " | ".join(head), "|")
    print("|---" * len(head) + "|")
    for row in rows:
        print("|", " | ".join(row), "|")


def rates(results, folder):
    for width in (128, 256):
        losses = collections.defaultdict(lambda: collections.defaultdict(list))
        for what, _, run in parts(results, f"rates {width}"):
            kind, rate = what.split("-", 1)
            losses[kind][float(rate)].append(loss(run))
        if not losses:
            continue
        all_rates = sorted({rate for values in losses.values() for rate in values})
        table([f"learning rate, width {width}", *(f"{rate:g}" for rate in all_rates)],
              [[kind, *(shown(values.get(rate, [])) for rate in all_rates)] for kind, values in losses.items()])
        plot(folder / f"training-rates-{width}.svg", f"Held-out loss over the learning rate, width {width}", "peak learning rate",
             "nats a token", {kind: [(rate, *mean_and_spread(v)) for rate, v in values.items()] for kind, values in losses.items()},
             log_x=True)


def stages(results, folder):
    losses = collections.defaultdict(dict)
    for recipe, seed, run in parts(results, "stages"):
        losses[recipe][seed] = loss(run)
    if not losses:
        return
    rows, points = [], {}
    for recipe, by_seed in sorted(losses.items(), key=lambda item: mean_and_spread(list(item[1].values()))[0] or 1e9):
        against = [difference(by_seed[s], losses[BASELINE][s]) for s in sorted(by_seed) if s in losses[BASELINE]]
        rows.append([recipe, shown(list(by_seed.values())), ", ".join("broke" if d is None else f"{d:+.3f}" for d in against)])
        points[recipe] = [(len(points), *mean_and_spread(against))]
    table(["schedule and weight decay", "held-out loss", f"seed by seed, against {BASELINE}"], rows)
    plot(folder / "training-stages.svg", f"Held-out loss against {BASELINE}", "recipe", "nats a token", points, lines=False)


def sizes(results, folder):
    runs = collections.defaultdict(lambda: collections.defaultdict(list))
    for what, _, run in parts(results, "sizes"):
        kind, width = what.split("-")
        runs[kind][int(width)].append(run)
    if not runs:
        return
    rows, file_rows, by_parameters, by_bytes, by_energy = [], [], {}, {}, {}
    of_seed = {(kind, width, run["settings"]["run.seed"]): loss(run)
               for kind, widths in runs.items() for width, same in widths.items() for run in same}
    for kind, widths in runs.items():
        for width, same in sorted(widths.items()):
            losses = [loss(run) for run in same]
            joules = 1e6 * joules_per_token(same[0]["settings"], kind)
            exported = next((run for run in same if "parameters" in run), None)
            against = [difference(loss(run), of_seed.get(("float", width, run["settings"]["run.seed"]))) for run in same]
            rows.append([kind, str(width), f"{exported['parameters']:,}" if exported else "", shown(losses),
                         "" if kind.endswith("float") else ", ".join(f"{d:+.3f}" for d in against if d is not None), f"{joules:.3g}"])
            by_energy.setdefault(kind, []).append((joules, *mean_and_spread(losses)))
            if not exported:
                continue
            by_parameters.setdefault(kind, []).append((exported["parameters"], *mean_and_spread(losses)))
            for matrices, file in exported["files"].items():
                bits = [run["files"].get(matrices, {}).get("bits_per_byte") for run in same]
                size = file.get("bytes", 0) / 1e6
                file_rows.append([kind, str(width), matrices, f"{size:.2f}", shown(bits)])
                name = kind if len(exported["files"]) == 1 else f"{kind}, {matrices}"
                by_bytes.setdefault(name, []).append((size, *mean_and_spread(bits)))
    table(["weights", "width", "parameters", "held-out loss", "against float, seed by seed", "energy of the matrices a token, µJ"], rows)
    table(["weights", "width", "matrices in", "file, MB", "bits a byte"], file_rows)
    plot(folder / "training-sizes.svg", "Held-out loss over parameters", "parameters", "nats a token", by_parameters, log_x=True)
    plot(folder / "training-bytes.svg", "Bits a byte over the size of the file", "megabytes of the file", "bits a byte",
         by_bytes, log_x=True)
    plot(folder / "training-energy.svg", "Held-out loss over energy", "energy of the matrices a token, µJ", "nats a token",
         by_energy, log_x=True)


def is_pair(before, run):
    """Whether two runs differ in the first embeddings alone."""
    return before is not None and {**before["settings"], "model.embedding_initializer_range": 0.2} == run["settings"]


def starts(results, folder):
    rows, points = [], collections.defaultdict(list)
    before = {name.removeprefix("sizes/"): run for name, run in results.items() if name.startswith("sizes/")}
    same = collections.defaultdict(dict)
    for what, seed, run in parts(results, "larger"):
        same[what][seed] = run
    for what, runs in same.items():
        kind, width = what.rsplit("-", 1)
        old = {seed: before.get(f"{what}-{seed}") for seed in runs}
        against = [difference(loss(run), loss(old[seed])) for seed, run in runs.items() if is_pair(old[seed], run)]
        file = next(iter(next(iter(runs.values()))["files"]), "")
        bits = [run["files"][file]["bits_per_byte"] for run in runs.values()]
        old_bits = [run["files"][file]["bits_per_byte"] for run in old.values() if run]
        rows.append([kind, width, shown([loss(run) for run in old.values() if run]), shown([loss(run) for run in runs.values()]),
                     ", ".join(f"{d:+.3f}" for d in against), file, shown(old_bits), shown(bits)])
        points[kind].append((int(width), *mean_and_spread([loss(run) for run in runs.values()])))
    if not rows:
        return
    table(["weights", "width", "loss, 0.02", "loss, 0.2", "seed by seed", "file in", "bits a byte, 0.02", "bits a byte, 0.2"],
          sorted(rows, key=lambda row: (KINDS.index(row[0]), int(row[1]))))
    tried = {float(what.split("-", 1)[1]): loss(run) for what, _, run in parts(results, "starts")}
    if tried:
        table(["ternary, width 128: embeddings begin with", *(f"{value:g}" for value in sorted(tried))],
              [["held-out loss", *(shown([tried[value]]) for value in sorted(tried))]])
    plot(folder / "training-starts.svg", "Held-out loss over the width, embeddings that begin with 0.2", "width", "nats a token",
         {kind: sorted(values) for kind, values in points.items()}, log_x=True)


def main():
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for part in (rates, stages, sizes, starts):
        part(results, folder)


if __name__ == "__main__":
    main()
