"""Shared by the scripts of this folder: programs that answer a line with a line, medians with spread, the machine's name."""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

# The binding lives with the golden scripts, which need it too.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "make"))
import libllama  # noqa: E402,F401


class Bench:
    """A program of this repository's bench/ that runs one repetition for every line it is sent."""

    def __init__(self, *command, hello=True):
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = self._answer() if hello else {}

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args}: ended early")
        return json.loads(line)

    def ask(self, line="go"):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def summary(values):
    """Median and half the distance between the quartiles as a per cent of it."""
    middle = statistics.median(values)
    if len(values) < 3:
        return middle, 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, 50.0 * (high - low) / middle if middle else 0.0


def machine():
    model = platform.processor()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"cpu": model, "cores": os.cpu_count(), "load_1_min": os.getloadavg()[0]}
