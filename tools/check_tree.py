#!/usr/bin/env python3
"""Housekeeping of the source tree; exits 1 with a line for each thing wrong.

  * no file above 6 MB, no model in models/ above 8.5 MB;
  * no path of somebody's machine and no address of a package registry in any text;
  * no unfinished-work marks in code;
  * no source file above 700 lines (the longest are listed: small files are the rule here);
  * scripts that start with #! are executable, and text ends with a newline.

Looks at what git tracks or would track; without git, at everything outside build folders. Golden data and fuzzing corpora
are checked for size alone: they hold whatever bytes their test needs.

usage: check_tree.py SOURCE_DIR
"""
import os
import pathlib
import re
import subprocess
import sys

LARGEST_BYTES = 6 * 1024 * 1024
LARGEST_MODEL_BYTES = 8_500_000
LONGEST_LINES = 700
DATA_FOLDERS = ("tests/golden/data/", "fuzz/corpus/", "tests/bad_files/data/")
CODE_FOLDERS = ("src/", "include/", "examples/", "bench/", "fuzz/", "cmake/")
CODE_SUFFIXES = {".cpp", ".hpp", ".h", ".inc"}

# Written in pieces, so that this file does not find itself.
MACHINE_PATH = re.compile("(?<![\\w.])/" + "(?:work|home|root|Users)" + "/" + "|/opt/" + "oracle")
TEMPORARY_PATH = re.compile("(?<![\\w.])/" + "tmp/")
REGISTRY = re.compile("|".join(("py" + r"pi\.org", "files\\.python" + "hosted", "registry\\." + "npmjs", "crates" + r"\.io",
                                "proxy\\." + "golang", "--index" + "-url", "--extra-index" + "-url")))
UNFINISHED = re.compile("\\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "st" + "ub(?:s|bed)?")) + ")\\b")


def files_of(root: pathlib.Path):
    try:
        listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z", "--", "."], check=True,
                                capture_output=True).stdout.decode().split("\0")
        names = [name for name in listed if name and (root / name).is_file()]
        if names:
            return sorted(set(names))
    except (OSError, subprocess.CalledProcessError):
        pass
    names = []
    for folder, below, files in os.walk(root):
        below[:] = [d for d in below if d not in (".git", "__pycache__", "out") and not d.startswith("build")]
        names += [str((pathlib.Path(folder) / f).relative_to(root)) for f in files]
    return sorted(names)


def check_text(name, text):
    is_test = name.startswith("tests/")
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        if MACHINE_PATH.search(line):
            yield f"{where}: a path of one machine"
        if not is_test and TEMPORARY_PATH.search(line):
            yield f"{where}: a temporary path; ask the system for its temporary folder"
        if REGISTRY.search(line):
            yield f"{where}: the address of a package registry"
        if name.startswith(CODE_FOLDERS) and UNFINISHED.search(line):
            yield f"{where}: marked as unfinished: {UNFINISHED.search(line).group(0)}"
    if text and not text.endswith("\n"):
        yield f"{name}: does not end with a newline"


def check(root: pathlib.Path):
    """(problems, [(lines, source file)] longest first, number of files)."""
    problems, lengths = [], []
    names = files_of(root)
    for name in names:
        path = root / name
        size = path.stat().st_size
        largest = LARGEST_MODEL_BYTES if name.startswith("models/") else LARGEST_BYTES
        if size > largest:
            problems.append(f"{name}: {size / 1e6:.1f} MB; the limit is {largest / 1e6:.1f} MB")
        if name.startswith(DATA_FOLDERS) or size > LARGEST_BYTES:
            continue
        content = path.read_bytes()
        if b"\0" in content:
            continue
        text = content.decode("utf-8", errors="replace")
        problems += check_text(name, text)
        if content.startswith(b"#!") and not os.access(path, os.X_OK):
            problems.append(f"{name}: starts with #! and is not executable")
        if path.suffix in CODE_SUFFIXES:
            n_lines = text.count("\n")
            lengths.append((n_lines, name))
            if name.startswith(("src/", "include/")) and n_lines > LONGEST_LINES:
                problems.append(f"{name}: {n_lines} lines; the limit is {LONGEST_LINES}: split it by its ideas")
    return problems, sorted(lengths, reverse=True), len(names)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    problems, lengths, n_files = check(pathlib.Path(sys.argv[1]))
    if n_files == 0:
        problems.append("no files found: nothing was checked")
    for problem in problems:
        print(problem)
    total = sum(n for n, _ in lengths)
    median = sorted(n for n, _ in lengths)[len(lengths) // 2] if lengths else 0
    print(f"{n_files} files; {len(lengths)} of C++ with {total} lines, median {median}; the longest: " +
          ", ".join(f"{name} {n}" for n, name in lengths[:5]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
