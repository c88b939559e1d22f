#!/usr/bin/env python3
"""tools/run_tests.py counts what passed, failed and was skipped, and its exit status says so. usage: run_tests_test.py SOURCE_DIR"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE_DIR = pathlib.Path(sys.argv.pop(1)).resolve()

RESULTS = """<?xml version="1.0"?>
<testsuites><testsuite name="A">
  <testcase name="One" status="run" result="completed" classname="A"/>
  <testcase name="Two" status="run" result="completed" classname="A"/>
  <testcase name="DISABLED_Three" status="notrun" result="suppressed" classname="A"/>
  %s
</testsuite></testsuites>
"""
SKIPPED = '<testcase name="Four" status="run" result="skipped" classname="A"><skipped message="a.cpp:1&#x0A;SKIPPED: no data&#x0A;"/></testcase>'
FAILED = '<testcase name="Five" status="run" result="completed" classname="A"><failure message="x"/></testcase>'


def run(tests):
    """tests: {name: (exit status, further test cases or None)}"""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        lines = []
        for name, (status, cases) in tests.items():
            script = root / f"{name}.sh"
            text = "#!/bin/sh\n"
            if cases is not None:
                (root / f"{name}.xml").write_text(RESULTS % cases)
                text += f'cp "{root}/{name}.xml" "${{GTEST_OUTPUT#xml:}}{name}.xml"\n'
            script.write_text(text + f"exit {status}\n")
            script.chmod(0o755)
            lines.append(f'add_test({name} "{script}")\nset_tests_properties({name} PROPERTIES SKIP_RETURN_CODE 77)')
        (root / "CTestTestfile.cmake").write_text("\n".join(lines) + "\n")
        done = subprocess.run([sys.executable, SOURCE_DIR / "tools/run_tests.py", root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


class RunTests(unittest.TestCase):
    def test_counts_what_passed(self):
        status, out = run({"a": (0, ""), "b": (0, None)})
        self.assertEqual(status, 0, out)
        self.assertIn("tests:    2 passed, 0 failed, 0 SKIPPED", out)
        self.assertIn("programs: 2 passed, 0 failed, 0 SKIPPED", out)

    def test_names_what_was_skipped_and_why(self):
        status, out = run({"a": (0, SKIPPED), "b": (77, None)})
        self.assertEqual(status, 0, out)
        self.assertIn("SKIPPED  1 tests: no data\n         a: A.Four\n", out)
        self.assertIn("SKIPPED  b (the whole program)", out)
        self.assertIn("tests:    2 passed, 0 failed, 1 SKIPPED", out)

    def test_fails_with_a_failed_test(self):
        status, out = run({"a": (1, FAILED)})
        self.assertEqual(status, 1, out)
        self.assertIn("FAILED   a: A.Five", out)

    def test_fails_with_a_program_that_died_without_a_result_file(self):
        status, out = run({"a": (0, ""), "b": (139, None)})
        self.assertEqual(status, 1, out)
        self.assertIn("FAILED   b", out)

    def test_fails_if_there_is_nothing_to_run(self):
        status, out = run({})
        self.assertNotEqual(status, 0, out)


if __name__ == "__main__":
    unittest.main()
