#!/usr/bin/env python3
"""Compares the #include lines of src/ and include/ with tools/layers.txt, and exits 1 with a line for each thing wrong.

  * layers.txt: every room once, every arrow to a known room, no cycles; a folder src/<room> for each room and no other.
  * "room/file.hpp" may be included by that room and by the rooms that reach it (arrows are transitive). Includes start
    with the room's name; relative paths would hide where a file comes from.
  * "limits/limits.hpp" is bench/limits, a library that includes nothing of Tern's: the program may include it, no other room.
  * "tern/error.hpp" is shared by all rooms. The other public headers are the facade's: only it and what is above may
    include them. include/tern itself uses the standard library and its own headers.
  * No `switch` on a format or an architecture, and no comparison with one's name, outside the room that lists them.

usage: check_layers.py SOURCE_DIR
"""
import pathlib
import re
import sys

SUFFIXES = {".hpp", ".cpp", ".h", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
# What only the room that lists formats or architectures may take apart.
SWITCH = re.compile(r"\bswitch\s*\(([^;{]*)\)")
KIND = re.compile(r"\b(gguf_id|file_type|type_id|format_id|architecture(_name)?|arch)\b")
COMPARED_NAME = re.compile(r"(\b(format|architecture)\w*(\(\))?((->|\.)name)?\s*[=!]=\s*\")"
                           r"|(\"\s*[=!]=\s*[\w.>-]*(format|architecture)\w*)")
HOMES = {"formats", "models"}
# Headers of the tree that are in no room, and the rooms that may include them.
OUTSIDE = {"limits/limits.hpp": {"cli"}}


def read_layers(text: str):
    """({room: [rooms named in its line]}, problems)."""
    arrows, problems = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"([a-z_]+):((?:\s+[a-z_]+)*)", line)
        if not match:
            problems.append(f"tools/layers.txt:{number}: not of the form 'room: rooms'")
        elif match.group(1) in arrows:
            problems.append(f"tools/layers.txt:{number}: room {match.group(1)} stands here twice")
        else:
            arrows[match.group(1)] = match.group(2).split()
    for room, targets in arrows.items():
        for target in targets:
            if target not in arrows:
                problems.append(f"tools/layers.txt: {room} includes {target}, which is no room")
    return arrows, problems


def reach(arrows):
    """{room: all rooms it may include, itself among them}, and the cycles as problems."""
    problems = []
    reached = {}

    def visit(room, path):
        if room in path:
            problems.append("tools/layers.txt: a cycle: " + " -> ".join(path[path.index(room):] + [room]))
            return {room}
        if room not in reached:
            below = {room}
            for target in arrows.get(room, []):
                below |= visit(target, path + [room])
            reached[room] = below
        return reached[room]

    for room in arrows:
        visit(room, [])
    return reached, problems


def sources(folder: pathlib.Path):
    return sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES and p.is_file())


def includes(path: pathlib.Path):
    """(line number, name, is it in quotes) of each include."""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) or match.group(2), match.group(1) is not None


def check_room_include(room, name, in_quotes, reached):
    """What is wrong with this include in this room, or None."""
    first = name.split("/")[0]
    if first in reached and "/" in name and (in_quotes or first != "sys"):  # <sys/mman.h> is the system's
        if not in_quotes:
            return f"<{name}> should be \"{name}\""
        if first not in reached[room]:
            return f"{room} includes {first} (\"{name}\"), and tools/layers.txt has no arrow that way"
    elif name in OUTSIDE:
        if room not in OUTSIDE[name] or not in_quotes:
            return f"{room} includes \"{name}\", which only {', '.join(sorted(OUTSIDE[name]))} may, in quotes"
    elif first == "tern":
        if name != "tern/error.hpp" and "facade" not in reached[room]:
            return f"{room} includes \"{name}\": below the facade only tern/error.hpp is shared"
    elif in_quotes:
        return f"\"{name}\" does not start with a room of tools/layers.txt"
    return None


def check_kinds(room, path, shown):
    if room in HOMES:
        return []
    problems = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        code = line.split("//")[0]
        switch = SWITCH.search(code)
        if switch and KIND.search(switch.group(1)):
            problems.append(f"{shown}:{number}: a switch on a format or architecture belongs in its own file")
        if COMPARED_NAME.search(code):
            problems.append(f"{shown}:{number}: comparing a format's or architecture's name; give its record a field instead")
    return problems


def check(root: pathlib.Path):
    layers = root / "tools/layers.txt"
    if not layers.is_file():
        return ["tools/layers.txt is missing"], 0
    arrows, problems = read_layers(layers.read_text())
    reached, cycles = reach(arrows)
    problems += cycles
    folders = {p.name for p in (root / "src").iterdir() if p.is_dir()} if (root / "src").is_dir() else set()
    problems += [f"src/{name}: a folder that tools/layers.txt does not name" for name in sorted(folders - arrows.keys())]
    problems += [f"tools/layers.txt: room {name} has no folder src/{name}" for name in sorted(arrows.keys() - folders)]
    problems += [f"{p.relative_to(root)}: a source file outside the rooms" for p in sorted((root / "src").glob("*"))
                 if p.is_file()]

    n_files = 0
    for room in sorted(folders & arrows.keys()):
        for path in sources(root / "src" / room):
            n_files += 1
            shown = path.relative_to(root)
            for number, name, in_quotes in includes(path):
                wrong = check_room_include(room, name, in_quotes, reached)
                if wrong:
                    problems.append(f"{shown}:{number}: {wrong}")
            problems += check_kinds(room, path, shown)
    for path in sources(root / "include"):
        n_files += 1
        for number, name, in_quotes in includes(path):
            if name.startswith("tern/") != in_quotes or (not in_quotes and "/" in name):
                problems.append(f"{path.relative_to(root)}:{number}: a public header includes {name}; "
                                "it may use the standard library and \"tern/...\" only")
    return problems, n_files


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    problems, n_files = check(pathlib.Path(sys.argv[1]))
    if n_files == 0:
        problems.append("no source files found: nothing was checked")
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{n_files} files keep to tools/layers.txt")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
