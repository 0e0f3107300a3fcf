"""The Python of a bench: its packages are installed once, by name and version, into build/."""

import fcntl
import shutil
import subprocess
import sys

import pytest


def interpreter(bench, place):
    """The Python in `place` that has the packages listed in `bench`; skips the test where they
    cannot be had."""
    packages = (bench / "packages").read_text()
    place.mkdir(parents=True, exist_ok=True)
    python, stamp = place / "bin/python", place / "installed"
    with open(place.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != packages:
            install(place, python, packages.split())
            stamp.write_text(packages)
    return python


def install(place, python, packages):
    shutil.rmtree(place, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", *packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            pytest.skip(f"{' '.join(packages)} cannot be installed: {' '.join(last)}")
