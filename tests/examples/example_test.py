#!/usr/bin/env python3
"""Runs an example and looks at what it prints. usage: example_test.py NAME EXAMPLE TERN SOURCE_DIR
Exit status 77 when the model the example needs is not there."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def quantize_tensor(example, _tern, _source_dir):
    def errors(text):
        """{format: (bytes, rmse)} and the formats that could not hold the values."""
        rows, refused = {}, {}
        for line in text.splitlines()[3:]:
            measured = re.fullmatch(r"(\w+) +[\d.]+ +(\d+) +(\S+) +\S+%", line)
            if measured:
                rows[measured.group(1)] = (int(measured.group(2)), float(measured.group(3)))
            else:
                refused[line.split()[0]] = line
        return rows, refused

    rows, refused = errors(run(example))
    assert list(refused) == ["I2_S"] and "holds only" in refused["I2_S"], refused
    assert len(rows) >= 17, rows
    assert rows["F32"] == (64 * 1024 * 4, 0.0), rows["F32"]
    assert rows["Q8_0"][0] == 64 * 1024 // 32 * 34
    by_error = [rows[name][1] for name in ("F16", "Q8_0", "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K")]
    assert by_error == sorted(by_error) and by_error[0] > 0, by_error

    rows, refused = errors(run(example, "--ternary"))
    assert not refused, refused
    assert rows["I2_S"] == (64 * 1024 // 4 + 32, 0.0), rows["I2_S"]
    assert rows["TQ2_0"][1] < 1e-4 < rows["Q1_0"][1], rows
    bad = subprocess.run([example, "--nonsense"], capture_output=True, check=False)
    assert bad.returncode == 2


def continue_text(example, tern, source_dir):
    data = pathlib.Path(os.environ.get("TERN_DATA", source_dir / "../shared/data"))
    folder = data / "models/llama2c-stories260K"
    missing = subprocess.run([example, "no-such-model.gguf", "x"], capture_output=True, text=True, check=False)
    assert missing.returncode == 1 and "no-such-model.gguf" in missing.stderr and missing.stderr.count("\n") == 1, missing.stderr
    if not folder.is_dir():
        print("SKIPPED: needs models/llama2c-stories260K of the data folder (set TERN_DATA or put it at ../shared/data)")
        return 77
    expected = (folder / "expected_greedy_200.txt").read_text()
    with tempfile.TemporaryDirectory() as work:
        model = pathlib.Path(work) / "stories.gguf"
        run(tern, "convert", folder / "stories260K.bin", "--tokenizer", folder / "tok512.bin", "--outfile", model,
            "--outtype", "f32")
        text = run(example, model, "", "100").rstrip("\n")
        assert len(text) > 150 and expected.startswith(text), f"got {text!r}, expected the beginning of {expected!r}"
    return 0


def main():
    name, example, tern, source_dir = sys.argv[1:]
    return {"quantize_tensor": quantize_tensor, "continue_text": continue_text}[name](example, tern, pathlib.Path(source_dir)) or 0


if __name__ == "__main__":
    sys.exit(main())
