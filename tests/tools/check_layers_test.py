#!/usr/bin/env python3
"""tools/check_layers.py finds what it is there to find, in small made-up trees. usage: check_layers_test.py SOURCE_DIR"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE_DIR = pathlib.Path(sys.argv.pop(1)).resolve()

GOOD = {
    "tools/layers.txt": "# a comment\nbase:\nmiddle: base\nfacade: middle\ncli: facade\n",
    "src/base/error.hpp": '#include "tern/error.hpp"\n#include <string>\n',
    "src/middle/a.cpp": '#include "middle/a.hpp"\n#include "base/error.hpp"\n#include <sys/mman.h>\n',
    "src/facade/model.cpp": '#include "tern/model.hpp"\n#include "base/error.hpp"\n',
    "src/cli/main.cpp": '#include "tern/model.hpp"\n#include "middle/a.hpp"\nint main() { switch (1) {} }\n',
    "include/tern/error.hpp": "#include <expected>\n",
    "include/tern/model.hpp": '#include "tern/error.hpp"\n',
}


def run(changes):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**GOOD, **changes}.items():
            if text is None:
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, SOURCE_DIR / "tools/check_layers.py", root], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stdout


class CheckLayers(unittest.TestCase):
    def accepts(self, changes):
        status, out = run(changes)
        self.assertEqual(status, 0, out)

    def refuses(self, changes, *wanted):
        status, out = run(changes)
        self.assertEqual(status, 1, out)
        for text in wanted:
            self.assertIn(text, out)

    def test_accepts_a_tree_that_keeps_to_its_layers(self):
        self.accepts({})

    def test_follows_arrows_through_rooms_in_between(self):
        self.accepts({"src/cli/b.cpp": '#include "base/error.hpp"\n'})

    def test_refuses_an_arrow_that_points_up(self):
        self.refuses({"src/base/up.cpp": '#include "cli/all.hpp"\n'}, "src/base/up.cpp:1", "base includes cli")

    def test_refuses_an_upward_include_in_a_folder_of_a_room(self):
        self.refuses({"src/middle/deep/er/b.hpp": '#pragma once\n#  include "facade/x.hpp"\n'}, "src/middle/deep/er/b.hpp:2")

    def test_refuses_a_room_between_angle_brackets(self):
        self.refuses({"src/cli/b.cpp": "#include <middle/a.hpp>\n"}, 'should be "middle/a.hpp"')

    def test_refuses_a_relative_include(self):
        self.refuses({"src/middle/b.cpp": '#include "a.hpp"\n'}, "does not start with a room")
        self.refuses({"src/middle/b.cpp": '#include "../base/error.hpp"\n'}, "does not start with a room")

    def test_lets_the_program_alone_include_the_limits(self):
        self.accepts({"src/cli/b.cpp": '#include "limits/limits.hpp"\n'})
        self.refuses({"src/middle/b.cpp": '#include "limits/limits.hpp"\n'}, "src/middle/b.cpp:1", "only cli may")
        self.refuses({"src/cli/b.cpp": '#include "limits/region.hpp"\n'}, "does not start with a room")

    def test_refuses_a_public_header_below_the_facade(self):
        self.refuses({"src/middle/b.cpp": '#include "tern/model.hpp"\n'}, "below the facade")

    def test_refuses_a_room_in_a_public_header(self):
        self.refuses({"include/tern/model.hpp": '#include "base/error.hpp"\n'}, "include/tern/model.hpp:1")

    def test_refuses_a_third_party_library_in_a_public_header(self):
        self.refuses({"include/tern/model.hpp": "#include <fmt/format.h>\n"}, "include/tern/model.hpp:1")

    def test_refuses_a_cycle(self):
        self.refuses({"tools/layers.txt": "base: middle\nmiddle: base\nfacade: middle\ncli: facade\n"}, "a cycle: base -> middle -> base")

    def test_refuses_a_folder_that_is_no_room(self):
        self.refuses({"src/attic/a.cpp": "int x;\n"}, "src/attic: a folder")

    def test_refuses_a_room_without_a_folder(self):
        self.refuses({"tools/layers.txt": GOOD["tools/layers.txt"] + "train: middle\n"}, "train has no folder")

    def test_refuses_an_arrow_to_nowhere_and_a_room_twice(self):
        self.refuses({"tools/layers.txt": GOOD["tools/layers.txt"] + "base: ghost\n"}, "stands here twice")
        self.refuses({"tools/layers.txt": GOOD["tools/layers.txt"].replace("middle: base", "middle: base ghost")},
                     "ghost, which is no room")

    def test_refuses_a_line_it_cannot_read(self):
        self.refuses({"tools/layers.txt": GOOD["tools/layers.txt"] + "Base -> middle\n"}, "not of the form")

    def test_refuses_a_source_file_outside_the_rooms(self):
        self.refuses({"src/loose.cpp": "int x;\n"}, "src/loose.cpp")

    def test_refuses_a_switch_on_a_format_outside_its_home(self):
        self.refuses({"src/middle/b.cpp": "void f() {\n  switch (tensor.gguf_id) {}\n}\n"}, "src/middle/b.cpp:2")
        self.refuses({"src/middle/b.cpp": 'bool f() { return p.architecture == "llama"; }\n'}, "src/middle/b.cpp:1")
        self.refuses({"src/middle/b.cpp": 'bool f() { return format->name == "I2_S"; }\n'}, "src/middle/b.cpp:1")

    def test_refuses_a_tree_without_sources(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, SOURCE_DIR / "tools/check_layers.py", folder], capture_output=True, check=False)
            self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
