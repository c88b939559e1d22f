#!/usr/bin/env python3
"""The demo runs on what the repository holds and nothing else: its script, the models and the beginning of the texts,
copied to a folder that has nothing around it. How long the whole demo takes is measured by hand.

usage: demo_test.py TERN SOURCE_DIR
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile


def main():
    tern, source = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        (copy / "tools").mkdir()
        (copy / "data/eval").mkdir(parents=True)
        shutil.copy(source / "tools/demo.sh", copy / "tools")
        shutil.copytree(source / "models", copy / "models")
        for text in ("stories.txt", "plain.txt"):
            (copy / "data/eval" / text).write_bytes((source / "data/eval" / text).read_bytes()[:2500])
        done = subprocess.run([copy / "tools/demo.sh", tern], cwd="/", capture_output=True, text=True, check=False,
                              env={"PATH": "/usr/bin:/bin", "HOME": folder})
        assert done.returncode == 0, f"status {done.returncode}: {done.stderr}"
        models = sorted((copy / "models").glob("*.gguf"))
        assert len(models) == 3, models
        for model in models:
            page = (copy / "out/demo" / model.name).with_suffix(".html").read_text()
            assert "</html>" in page and "<svg" in page, model
            for kind in ("F32", "Q6_K", "Q4_0"):
                assert kind in page, (model, kind)
        assert done.stdout.count("Once upon a time") >= len(models), done.stdout[-2000:]
        assert "Done in" in done.stdout, done.stdout[-200:]
    print(f"the demo ran on {len(models)} models")


main()
