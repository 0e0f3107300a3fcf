"""How soon a way back begins, and what a thousand targets hold: for tests/benchmark/run rollout."""

import json
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

from measure import BUILD, ROOT, note, promise, title

PYTHON = "/usr/bin/python3"
ROLLOUTS = 300
TARGETS = 1000


def repository(folder, name):
    path = Path(folder) / name
    subprocess.run(["git", "init", "--quiet", path], check=True)
    return path


def bench(*words):
    done = subprocess.run([BUILD / "tests/benchmark/rollout_bench", *map(str, words)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"run: rollout_bench {words[0]}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def hanging(folder):
    """The ledger's remote takes pushes until a release is out, and then hangs."""
    server = subprocess.Popen([PYTHON, ROOT / "tests/bench/git_http"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        url = urllib.parse.urlsplit(json.loads(server.stdout.readline())["url"])
        return bench("latency", repository(folder, "hanging"), ROLLOUTS, url.port, url.path)
    finally:
        server.stdin.close()
        server.wait()


def latency(what, got):
    promise(what, f"p99 of {got['reverts']}; half within {got['p50_ms']:.1f} ms, all within "
            f"{got['max_ms']:.1f} ms", got["p99_ms"], at_most=10, unit=" ms")


def rollout():
    """The driver with its ledger, world and probe, on a warm connection."""
    title("Rollouts")
    with tempfile.TemporaryDirectory() as folder:
        latency("breach to revert, ledger here, flushed",
                bench("latency", repository(folder, "here"), ROLLOUTS))
        got = hanging(folder)
        latency("breach to revert, ledger's remote hangs", got)
        note("", f"a push hung in {got['hung']} of them")
        got = bench("targets", repository(folder, "targets"), TARGETS)
        promise(f"{TARGETS} targets in one process", "out and back", got["peak_mb"], at_most=64,
                unit=" MB")
