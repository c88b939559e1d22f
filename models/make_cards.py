#!/usr/bin/env python3
"""Writes the model cards and the plot of the curves from what the runs logged and the files measure.

usage: make_cards.py TERN TEXTS FOLDER      as for make_models.sh, after it

The GGUF files of FOLDER are measured and copied beside this script, so that a card and its file come from one training.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bench" / "evidence"))
from plots import plot  # noqa: E402

TERN, TEXTS, FOLDER = (pathlib.Path(word) for word in sys.argv[1:4])
TYPES = {"float": "F16", "ternary": "TQ2_0", "binary": "Q1_0"}
WEIGHTS = {
    "float": "float weights and activations; the control of its two siblings",
    "ternary": "ternary weights (-1, 0, +1 and one scale a matrix, BitNet b1.58) and activations rounded to 8 bits a token",
    "binary": "binary weights (-1, +1 and one scale a matrix, BitNet) and activations rounded to 8 bits a token",
}
HELD = {
    "float": "The matrices and the embedding are stored in F16, which rounds them a little.",
    "ternary": "TQ2_0 holds the trained matrices exactly: 2.06 bits a weight. The embedding, which is also the head, was trained in "
               "float and is rounded to Q6_K.",
    "binary": "Q1_0 holds the trained matrices exactly: 1.13 bits a weight. The embedding, which is also the head, was trained in "
              "float and is rounded to Q6_K.",
}
PROMPTS = ("Once upon a time", "Tom and his dog went to the park.")


def told(*words):
    return subprocess.run([str(TERN), *map(str, words)], check=True, capture_output=True, text=True).stdout


def file_of(kind):
    return FOLDER / f"tern-stories-{kind}-{TYPES[kind]}.gguf"


def log_of(kind):
    return [json.loads(line) for line in (FOLDER / kind / "log.jsonl").read_text().splitlines()]


def recipe_of(kind):
    return json.loads((FOLDER / kind / "recipe.json").read_text())


def step_tokens(recipe):
    return recipe["optimizer"]["batch"] * recipe["data"]["context"]


def curve(kind):
    """(millions of tokens, bits a byte, no spread) of the looks at the held-out stories, without the steep beginning."""
    tokens = step_tokens(recipe_of(kind))
    return [(entry["step"] * tokens / 1e6, entry["validation"]["stories"]["bits_per_byte"], 0.0)
            for entry in log_of(kind) if "validation" in entry and entry["step"] >= 400]


def settings_of(recipe, base):
    """What was set beside the recipe file, as options."""
    set_beside = [(section, key, value) for section in ("quantization", "optimizer") for key, value in recipe[section].items()
                  if key in ("weights", "activations", "learning_rate") and base.get(section, {}).get(key, "none") != value]
    return " ".join(f"--set {section}.{key}={value}" for section, key, value in set_beside)


def measured(kind):
    """Bits a byte on the three texts. Of the validation text the lines that only part documents are left out."""
    valid = (TEXTS / "tinystories" / "tinystories-valid.txt").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        stories = pathlib.Path(folder) / "tinystories-valid.txt"
        stories.write_text("".join(line for line in valid.splitlines(True) if line.strip() != "<|endoftext|>"), encoding="utf-8")
        texts = [stories, HERE.parent / "data/eval/stories.txt", HERE.parent / "data/eval/plain.txt"]
        reports = json.loads(told("perplexity", "-m", file_of(kind), "-f", *texts, "--json"))["texts"]
    names = ("tinystories-valid, without its markers", "data/eval/stories.txt", "data/eval/plain.txt")
    return [(name, report["bits_per_byte"], report["perplexity"]) for name, report in zip(names, reports)]


def sample(kind, prompt, *options):
    text = told("run", "-m", file_of(kind), "-p", prompt, "-n", 90, *options)
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def card(kind):
    log = log_of(kind)
    steps = [entry for entry in log if "loss" in entry]
    final = [entry for entry in log if "validation" in entry][-1]["validation"]
    recipe = recipe_of(kind)
    base = json.loads((HERE / "recipe.json").read_text())
    data = {source["name"]: source["train"] for source in json.loads((FOLDER / "data/data.json").read_text())["sources"]}
    stories, books = data["stories"], data["books"]
    share = recipe["data"]["mixture"]
    passes = {name: steps[-1]["tokens"] * share[name] / data[name]["n_tokens"] for name in data}
    schedule = recipe["schedule"]
    info = json.loads(told("info", file_of(kind), "--json"))
    seconds = sum(entry["seconds"] for entry in steps)
    rows = "\n".join(f"| {name} | {bits:.3f} | {perplexity:.2f} |" for name, bits, perplexity in measured(kind))
    samples = "\n\n".join(f"*{label}*\n\n{sample(kind, prompt, *options)}" for prompt in PROMPTS for label, options in (
        ("the likeliest words (`--temp 0`)", ("--temp", 0)), ("drawn (`--temp 0.8 --seed 1`)", ("--temp", 0.8, "--seed", 1))))
    others = [other for other in TYPES if other != kind]
    return f"""# tern-stories-{kind}

A language model of {info["parameters"]:,} parameters that writes very short stories for small children: {WEIGHTS[kind]}. It is one of
three of the same shape, trained on the same tokens in the same order; the others are
[tern-stories-{others[0]}](tern-stories-{others[0]}.md) and [tern-stories-{others[1]}](tern-stories-{others[1]}.md). They exist
to try Tern with and to compare formats on, not for what they say.

| | |
|---|---|
| file | `{file_of(kind).name}`, {file_of(kind).stat().st_size / 1e6:.2f} MB |
| architecture | `bitnet` (LLaMA's blocks with SiLU, and norms before the attention output and the down projection) |
| shape | width 256, feed-forward 768, 4 layers, 4 heads of 64 sharing 2 key and value heads, embedding tied to the head |
| vocabulary | 2,048 byte-level BPE tokens, learned by `tern tokenizer train` on a part of the training texts |
| context | 256 tokens, the length trained at |
| licence | MIT, like the rest of the tree |

{HELD[kind]}

## Data

| source | share of the tokens drawn | what it is | licence |
|---|---|---|---|
| TinyStories | {share["stories"]:.0%} | {stories["n_documents"]:,} stories, {stories["n_text_bytes"] / 1e6:.1f} MB ({stories["n_tokens"] / 1e6:.1f} million tokens): short synthetic stories in the words of a small child, by GPT-3.5 and GPT-4 (Eldan and Li, arXiv 2305.07759) | CDLA-Sharing-1.0, which puts no condition on results computed from the data |
| books | {share["books"]:.0%} | {books["n_documents"]:,} English classics, {books["n_text_bytes"] / 1e6:.0f} MB ({books["n_tokens"] / 1e6:.0f} million tokens), from [mlschmitt/classic-books-markdown](https://github.com/mlschmitt/classic-books-markdown) | public domain |

That is {passes["stories"]:.1f} times over the stories, and {passes["books"]:.2f} times over the books. Both have a part that was held out whole and that no model and
no tokenizer has seen.

## Training

`make_models.sh` does all of it; the run itself was

    tern train --recipe recipe.json {settings_of(recipe, base)} --data data -o {kind}

with [recipe.json](recipe.json): AdamW, {steps[-1]["step"]:,} steps of {step_tokens(recipe):,} tokens ({steps[-1]["tokens"]:,} in all), {recipe["schedule"]["warm_up"]} steps of
warm-up, then two linear stages (the first falls to {schedule["first_end"]:g} of the peak, the second from {schedule["second_peak"]:g} of it to {schedule["last"]:g} of that), weight decay {recipe["optimizer"]["weight_decay"]} in the first and none in the
second. It took {seconds / 60:.0f} minutes on two cores of a shared
x86-64 server (float32, OpenBLAS). The learning rate is {recipe["optimizer"]["learning_rate"]:g} at its peak.

![held-out loss of the three models over the tokens they have seen, from 1.6 million on](curves.svg)

## Held-out loss

Of the trainer's own masters and rounding, at the end: {final["stories"]["nats_per_token"]:.4f} nats a token on TinyStories' held-out part, {final["books"]["nats_per_token"]:.4f} on the books'. Of the file, by
`tern perplexity` (chunks of 256 tokens, the second half of each scored):

| text | bits a byte | perplexity |
|---|---|---|
{rows}

## Samples

Nothing was selected.

{samples}

## What it is not for

For anything but trying things out. It knows the words of a few thousand stories; it has no knowledge, follows no instructions, loses
the thread after a sentence or two, and knows English alone. Beyond 256 tokens it has never been trained. The classics carry the
views of their time, and it may repeat them. Nobody has tested what it says to children.
"""


def main():
    curves = {kind: curve(kind) for kind in TYPES}
    plot(HERE / "curves.svg", "Held-out loss on TinyStories while training", "millions of tokens", "bits a byte", curves)
    for kind in TYPES:
        (HERE / f"tern-stories-{kind}.md").write_text(card(kind), encoding="utf-8")
        shutil.copyfile(file_of(kind), HERE / file_of(kind).name)


if __name__ == "__main__":
    main()
