#!/usr/bin/env python3
"""Runs the commands of README.md, CONTRIBUTING.md, docs/*.md, models/README.md and of every command's help as they are
written there.

usage: commands_test.py TERN SOURCE_DIR
Commands are the lines of ```sh and ```console blocks and of indented blocks, the latter where they begin with the name of a
program below. Each document runs from top to bottom in a fresh folder that holds PREPARED, each example of a help text in
one of its own. A command must end with status 0, or stand in NOT_RUN with a reason. What a sentence says in `backquotes`
(`tern embed`, `tern logits -f`) is not run, as it is seldom whole: its command and its options must exist.
Exit status 77: the data is missing.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("tern", "make", "cmake", "ctest", "apt-get", "tools/", "build/", "python3", "git")

# Command, as written, without its comment: why it is not run. What no document has any more must leave this list.
NOT_RUN = {
    "make demo": "builds the tree and runs the sweep over whole texts",
    "make test": "is what runs this",
}


def prepared(tern, data, tree, folder):
    """The files that commands name: small models and texts under the names that the documents use."""
    def make(*arguments):
        done = subprocess.run([tern, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"tern {arguments}: {done.stderr}"

    models, texts, tokenizers = data / "models", data / "eval", data / "tokenizers"
    for name, target in {"bitnet-b1.58-2B-4T": models / "reference-bitnet",
                         "stories15M.bin": models / "llama2c-stories260K/stories260K.bin",
                         "tokenizer.bin": models / "llama2c-stories260K/tok512.bin",
                         "tokenizer.json": models / "reference-float/tokenizer.json"}.items():
        assert target.exists(), target
        (folder / name).symlink_to(target)
    make("convert", models / "reference-float", "-o", "model.gguf", "--outtype", "f16")
    make("convert", models / "reference-bitnet", "-o", "in.gguf", "--outtype", "f16")
    make("quantize", "--override-kv", "llama.pooling_type=int:1", "model.gguf", "embedding.gguf", "COPY")
    make("split", "model.gguf", "model", "--split-max-size", "3M")
    for name, source in {"wiki.test.raw": "wiki.test.raw", "ptb.txt": "ptb.test.txt", "book.txt": "wiki.test.raw",
                         "news.csv": "agnews_test.csv", "texts.jsonl": "imdb_test_2000.jsonl"}.items():
        lines = (texts / source).read_bytes()[:8000].split(b"\n")
        (folder / name).write_bytes(b"\n".join(lines[:-1]) + b"\n")
    (folder / "prompt.txt").write_text("Once upon a time")
    (folder / "stories.txt").symlink_to(tree / "data/eval/stories.txt")
    (folder / "models").symlink_to(tree / "models")
    (folder / "data").symlink_to(tree / "data")
    make("data", "pack", "stories.txt", "--tokenizer", "tokenizer.json", "--separator", "", "-o", "my-data")
    make("train", "--preset", "bitnet-b1.58", "--data", "my-data", "-o", "last-run", "--set", "optimizer.batch=8",
         "--set", "run.sample_every=0", "--steps", "1")
    (folder / "sentences.txt").write_text("A cat sleeps.\nThe kitten naps.\n")


def document_commands(text):
    """Command lines of a Markdown file, in order; lines that end in a backslash are joined."""
    commands, kind, pending = [], None, ""
    previous_blank, in_indented = True, False
    for line in text.splitlines():
        fence = re.match(r"\s*```(\w*)", line)
        if fence:
            kind = None if kind is not None else fence.group(1)
            continue
        if kind is None:
            # An indented block begins after an empty line.
            in_indented = line.startswith("    ") and (in_indented or previous_blank) or (in_indented and not line.strip())
            previous_blank = not line.strip()
            command = line.strip() if in_indented else ""
            if not pending and not command.startswith(PROGRAMS):
                continue
        elif kind == "sh":
            command = line.strip()
        elif kind == "console" and line.startswith("$ "):
            command = line[2:].strip()
        else:
            continue
        command = re.sub(r"\s+#\s.*$", "", command)
        if not command or command.startswith("#"):
            continue
        if command.endswith("\\"):
            pending += command[:-1]
            continue
        commands.append(pending + command)
        pending = ""
    return commands


def spoken_commands(text):
    """[(command, [options])] of every `tern ...` inside a line of a Markdown file."""
    spoken = []
    for words in re.findall(r"`tern ([a-z][^`\n]*)`", text):
        name, *rest = words.split()
        if rest and re.fullmatch(r"[a-z]+", rest[0]):  # "tokenizer train", if there is such a command
            name = f"{name} {rest[0]}"
        options = [match for word in rest for match in re.findall(r"^\[?(--?[A-Za-z][\w-]*)", word)]
        spoken.append((name, options))
    return spoken


def names_of(tern):
    """The commands, some of two words."""
    return subprocess.run([tern, "help", "--names"], capture_output=True, text=True, check=True).stdout.splitlines()


def spoken_failures(tern, name, spoken):
    names = names_of(tern)
    failures = []
    for command, options in spoken:
        if command not in names:
            command = command.split()[0]  # its second word is an argument
        if command not in [*names, *(known.split()[0] for known in names), "help"]:
            failures.append(f"{name}: `tern {command}`: there is no such command")
            continue
        text = subprocess.run([tern, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text))
        failures += [f"{name}: `tern {command} {option}`: there is no such option" for option in options
                     if option not in known]
    return failures


def help_commands(tern):
    """[(command's name, example)]"""
    found = []
    for name in names_of(tern):
        text = subprocess.run([tern, "help", *name.split()], capture_output=True, text=True, check=True).stdout
        examples = text.split("\nExamples\n")[1].split("\n\n")[0]
        found += [(name.replace(" ", "-"), line.strip()) for line in examples.splitlines()]
    return found


def run(command, folder, tern):
    environment = {**os.environ, "PATH": f"{tern.parent}:{os.environ['PATH']}"}
    started = time.monotonic()
    done = subprocess.run(["/bin/sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", timeout=120, check=False)
    seconds = time.monotonic() - started
    print(f"{'ok' if done.returncode == 0 else 'FAILED'} {seconds:5.1f} s  {command}")
    return [] if done.returncode == 0 else [f"{command}: exit status {done.returncode}: {done.stderr.strip()[-300:]}"]


def check_extraction():
    text = ("x\n\n    tern a  # note\n    # tern no\n    auto y = 1;\n\n    make b\n\ntext\n    tern not a block\n\n"
            "```sh\ntern c \\\n  d\n```\n```console\n$ tern e\nanswer\n```\n```\ntern f\n```\n")
    found = document_commands(text)
    assert found == ["tern a", "make b", "tern c d", "tern e"], found
    spoken = spoken_commands("say `tern a [--b] X --c-d=1 -e` or `tern f`, `tern`, `turn g`, `tern h i --j`\n")
    assert spoken == [("a", ["--b", "--c-d", "-e"]), ("f", []), ("h i", ["--j"])], spoken


def main():
    tern, source = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    check_extraction()
    data = pathlib.Path(os.environ.get("TERN_DATA", source / "../shared/data")).resolve()
    if not data.is_dir():
        print("SKIPPED: needs the data folder (set TERN_DATA or put it at ../shared/data)")
        return 77
    failures, unused, n_run = [], set(NOT_RUN), 0
    with tempfile.TemporaryDirectory() as work:
        base = pathlib.Path(work) / "prepared"
        base.mkdir()
        prepared(tern, data, source, base)

        def sandbox(name):
            folder = pathlib.Path(work) / name
            folder.mkdir()
            for item in base.iterdir():
                (folder / item.name).symlink_to(item.resolve())
            return folder

        def run_all(name, commands):
            nonlocal n_run
            folder = sandbox(name)
            for command in commands:
                if command in NOT_RUN:
                    unused.discard(command)
                    continue
                n_run += 1
                failures.extend(f"{name}: {failure}" for failure in run(command, folder, tern))

        n_documents = {}
        for path in [source / "README.md", source / "CONTRIBUTING.md", *sorted((source / "docs").glob("*.md")),
                     source / "models/README.md"]:
            commands = document_commands(path.read_text())
            name = "-".join(path.relative_to(source).parts)
            n_documents[name] = len(commands)
            run_all(name, commands)
        n_spoken = 0
        for path in [*sorted(source.glob("*.md")), *sorted((source / "docs").glob("*.md")), source / "models/README.md"]:
            spoken = spoken_commands(path.read_text())
            n_spoken += len(spoken)
            failures += spoken_failures(tern, path.name, spoken)
        assert n_spoken >= 20, f"only {n_spoken} commands found in sentences"
        assert n_documents["README.md"] >= 10, f"README.md: only {n_documents['README.md']} commands found"
        for i, (name, example) in enumerate(help_commands(tern)):
            run_all(f"help-{name}-{i}", [example])
    failures += [f"NOT_RUN has \"{command}\", which no document has" for command in sorted(unused)]
    for failure in failures:
        print(failure)
    print(f"{n_run} commands run, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
