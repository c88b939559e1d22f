#!/usr/bin/env python3
"""What data/eval/README.md says of the texts beside it is so: bytes, words, hashes, layout. usage: eval_texts_test.py SOURCE_DIR"""
import hashlib
import pathlib
import re
import sys
import unittest

FOLDER = pathlib.Path(sys.argv.pop(1)).resolve() / "data" / "eval"
ROW = re.compile(r"^\| `(\w+\.txt)` \| (\d+) \| (\d+) \| .* \| `([0-9a-f]{64})` \|$", re.M)


class EvalTexts(unittest.TestCase):
    def test_the_page_describes_the_files(self):
        rows = ROW.findall((FOLDER / "README.md").read_text())
        self.assertEqual({name for name, *_ in rows}, {path.name for path in FOLDER.glob("*.txt")})
        for name, n_bytes, n_words, digest in rows:
            content = (FOLDER / name).read_bytes()
            self.assertEqual((len(content), len(content.split())), (int(n_bytes), int(n_words)), name)
            self.assertEqual(hashlib.sha256(content).hexdigest(), digest, name)

    def test_they_are_long_enough_to_tell_models_apart(self):
        self.assertGreaterEqual((FOLDER / "stories.txt").stat().st_size, 30_000)
        self.assertGreaterEqual((FOLDER / "plain.txt").stat().st_size, 15_000)

    def test_the_texts_are_plain(self):
        for path in FOLDER.glob("*.txt"):
            lines = path.read_bytes().decode("ascii").split("\n")
            self.assertEqual(lines[-1], "", f"{path.name} ends in one newline")
            self.assertFalse([line for line in lines if line != line.rstrip() or "\t" in line or "<|" in line], path.name)


if __name__ == "__main__":
    unittest.main()
