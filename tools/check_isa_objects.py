#!/usr/bin/env python3
"""Fails if a file compiled with instruction-set flags could leak code into the rest of the program.

Every src/kernels/<isa>/*.cpp except generic is compiled at -O0, where nothing is inlined away, with the flags that
cmake/rooms.cmake gives its folder. A weak function in the object (nm type W) is an inline function or template that other
files may define too: the linker keeps one copy of all, and if it keeps this one, the program crashes on processors that
lack the instructions. Weak data (V) and local functions (t) are harmless.

usage: check_isa_objects.py SOURCE_DIR [--compiler g++] [--nm nm]
"""
import argparse
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

DEFAULT_STANDARD = "-std=c++23"


def isa_flags(rooms: str) -> dict:
    """{"avx2": ["-mavx2", ...]} from the lines set(TERN_ISA_FLAGS_<isa> ...)."""
    return {name: flags.split() for name, flags in re.findall(r"set\(TERN_ISA_FLAGS_(\w+)\s+([^)]*)\)", rooms)}


def weak_functions(nm: str, compiled: pathlib.Path) -> list:
    lines = subprocess.run([nm, "-C", "--defined-only", compiled], check=True, capture_output=True, text=True).stdout
    found = []
    for line in lines.splitlines():
        match = re.match(r"\s*[0-9a-fA-F]*\s+W\s+(.*)", line)
        if match:
            found.append(match.group(1))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source_dir", type=pathlib.Path)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--nm", default="nm")
    arguments = parser.parse_args()

    if platform.machine().lower() not in ("x86_64", "amd64"):
        print("not an x86-64 machine: nothing to check")
        return 0
    flags = isa_flags((arguments.source_dir / "cmake/rooms.cmake").read_text())
    problems = []
    n_files = 0
    with tempfile.TemporaryDirectory() as folder:
        for isa_folder in sorted(p for p in (arguments.source_dir / "src/kernels").iterdir() if p.is_dir()):
            if isa_folder.name == "generic":
                continue
            if isa_folder.name not in flags:
                problems.append(f"{isa_folder}: no TERN_ISA_FLAGS_{isa_folder.name} in cmake/rooms.cmake")
                continue
            for source in sorted(isa_folder.glob("*.cpp")):
                n_files += 1
                compiled = pathlib.Path(folder) / (source.stem + ".o")
                command = [arguments.compiler, DEFAULT_STANDARD, "-O0", "-I", arguments.source_dir / "src",
                           *flags[isa_folder.name], "-c", source, "-o", compiled]
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode != 0:
                    problems.append(f"{source}: does not compile\n{done.stderr}")
                    continue
                for function in weak_functions(arguments.nm, compiled):
                    problems.append(f"{source}: weak function {function}: make it static, or put it in an anonymous "
                                    "namespace, or do not include its header here")
    for problem in problems:
        print(problem)
    if n_files == 0:
        problems.append("no instruction-set files found")
        print(problems[-1])
    print(f"{n_files} files checked, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
