#!/usr/bin/env python3
"""tools/check_tree.py finds what it is there to find. usage: check_tree_test.py SOURCE_DIR"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE_DIR = pathlib.Path(sys.argv.pop(1)).resolve()


def run(files, with_git=False):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if with_git:
            subprocess.run(["git", "init", "-q", root], check=True)
        done = subprocess.run([sys.executable, SOURCE_DIR / "tools/check_tree.py", root], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stdout


class CheckTree(unittest.TestCase):
    def accepts(self, files, **how):
        status, out = run({"README.md": "Tern\n", **files}, **how)
        self.assertEqual(status, 0, out)

    def refuses(self, files, *wanted, **how):
        status, out = run({"README.md": "Tern\n", **files}, **how)
        self.assertEqual(status, 1, out)
        for text in wanted:
            self.assertIn(text, out)

    def test_accepts_a_tidy_tree(self):
        self.accepts({"src/a.cpp": "int x;\n", "tests/a.cpp": "// /" + "tmp/x is fine in a test\n"})

    def test_refuses_a_large_file(self):
        self.refuses({"data.bin": b"\0" * (6 * 1024 * 1024 + 1)}, "data.bin: 6.3 MB")

    def test_refuses_machine_paths(self):
        self.refuses({"docs/a.md": "see /" + "work/main\n"}, "docs/a.md:1")
        self.refuses({"tests/a.py": "x = '/" + "home/me/x'\n"}, "tests/a.py:1")
        self.refuses({"src/a.cpp": "// /" + "tmp/x\n"}, "src/a.cpp:1")

    def test_refuses_registry_addresses(self):
        self.refuses({"a.sh": "pip install --index" + "-url x\n"}, "a.sh:1")

    def test_refuses_unfinished_code(self):
        self.refuses({"src/a.cpp": "// TO" + "DO later\n"}, "src/a.cpp:1")
        self.refuses({"include/tern/a.hpp": "// a st" + "ub\n"}, "include/tern/a.hpp:1")

    def test_refuses_a_long_source_file_only_under_src_and_include(self):
        self.refuses({"src/a.cpp": "int x;\n" * 701}, "src/a.cpp: 701 lines")
        self.accepts({"src/a.cpp": "int x;\n" * 700, "tests/a.cpp": "int x;\n" * 701})

    def test_refuses_a_script_that_cannot_be_run(self):
        self.refuses({"tools/a.sh": "#!/bin/sh\n"}, "not executable")

    def test_refuses_a_text_without_a_final_newline(self):
        self.refuses({"src/a.cpp": "int x;"}, "does not end with a newline")

    def test_leaves_build_folders_and_ignored_files_alone(self):
        self.accepts({"build-x/a.cpp": "// TO" + "DO\n"})
        self.accepts({".gitignore": "/out/\n", "out/a.sh": "#!/bin/sh\n"}, with_git=True)
        self.refuses({".gitignore": "/out/\n", "in/a.sh": "#!/bin/sh\n"}, with_git=True)

    def test_looks_only_at_the_size_of_data(self):
        self.accepts({"fuzz/corpus/x/a": "/" + "work/ without a newline"})


if __name__ == "__main__":
    unittest.main()
