#!/usr/bin/env python3
"""Runs every test of a build folder and says at the end what passed, failed and was skipped, test by test.

ctest sees one result a program; a GoogleTest program holds hundreds of tests, and one that skipped them all would count
as passed. So each program also writes its own result file, and the summary is made of those.

usage: run_tests.py BUILD_DIR [--jobs N] [further ctest arguments]
Exit status: 0 if nothing failed and something ran.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

MOST_NAMES = 12  # of the tests skipped for one reason


def google_tests(folder: pathlib.Path):
    """(passed, failed names, [(skipped name, reason)]) of all result files."""
    passed, failed, skipped = 0, [], []
    for path in sorted(folder.glob("*.xml")):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            if case.get("status") != "run":
                continue
            name = f"{path.stem}: {case.get('classname')}.{case.get('name')}"
            if case.find("failure") is not None:
                failed.append(name)
            elif case.get("result") == "skipped":
                message = (case.find("skipped").get("message") or "") if case.find("skipped") is not None else ""
                reason = message.strip().splitlines()[-1] if message.strip() else "no reason given"
                skipped.append((name, reason.removeprefix("SKIPPED: ")))
            else:
                passed += 1
    return passed, failed, skipped


def programs(path: pathlib.Path):
    """(passed, failed names, skipped names) as ctest counts, from its JUnit file."""
    passed, failed, skipped = 0, [], []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            passed += 1
        elif status in ("notrun", "disabled") or case.find("skipped") is not None:
            skipped.append(case.get("name"))
        else:
            failed.append(case.get("name"))
    return passed, failed, skipped


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build_dir", type=pathlib.Path)
    parser.add_argument("--jobs", default="2")
    arguments, further = parser.parse_known_args()

    build = arguments.build_dir.resolve()
    results = build / "test-results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    junit = build / "test-results.xml"
    junit.unlink(missing_ok=True)
    start = time.monotonic()
    environment = dict(os.environ, GTEST_OUTPUT=f"xml:{results}/")
    command = ["ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "--parallel", arguments.jobs,
               "--output-junit", junit, *further]
    status = subprocess.run(command, env=environment, check=False).returncode
    seconds = time.monotonic() - start

    if not junit.exists():
        print("ctest did not finish", file=sys.stderr)
        return status or 1
    cases_passed, cases_failed, cases_skipped = google_tests(results)
    programs_passed, programs_failed, programs_skipped = programs(junit)
    print()
    for reason in dict.fromkeys(reason for _, reason in cases_skipped):
        names = [name for name, why in cases_skipped if why == reason]
        print(f"SKIPPED  {len(names)} tests: {reason}")
        for name in names[:MOST_NAMES]:
            print(f"         {name}")
        if len(names) > MOST_NAMES:
            print(f"         and {len(names) - MOST_NAMES} more")
    for name in programs_skipped:
        print(f"SKIPPED  {name} (the whole program)")
    for name in cases_failed + programs_failed:
        print(f"FAILED   {name}")
    print(f"\ntests:    {cases_passed} passed, {len(cases_failed)} failed, {len(cases_skipped)} SKIPPED")
    print(f"programs: {programs_passed} passed, {len(programs_failed)} failed, {len(programs_skipped)} SKIPPED"
          f"   ({seconds:.0f} s)")
    return 1 if status or cases_failed or programs_failed else 0


if __name__ == "__main__":
    sys.exit(main())
