"""What a command costs, and what was promised of it. Used by `run` and its parts.

    seconds, megabytes, output, code = cost("sluice", "read", path)
    promise("LCOV", "0.71 of the scan's speed", 0.71, at_least=0.5)
    note("wrk", "too small to matter")
    sys.exit(1 if broken() else 0)
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROMISES = []  # (what, measured, limit, kept)


ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build/dev"))


def cost(*command, runs=3, cwd=None):
    """(user seconds, largest resident MB, output, exit code) of the cheapest of some runs. User time
    is that of the command and of what it waited for; memory is that of the largest one of them."""
    best = None
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "spent"
        for _ in range(runs):
            done = subprocess.run([BUILD / "tests/benchmark/spent", figures, *command], cwd=cwd, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            seconds, kilobytes = figures.read_text().split()
            one = (float(seconds), int(kilobytes) / 1024, done.stdout, done.returncode)
            if best is None or one[0] < best[0]:
                best = one
    return best


def title(words):
    print(f"\n{words}", flush=True)


def note(what, words):
    """A line without a promise: what was measured, or why it was not."""
    print(f"  {what:<46} {words}", flush=True)


def promise(what, words, have, at_least=None, at_most=None, unit=""):
    """Prints the line now and keeps it for the table at the end."""
    limit = f">= {at_least}{unit}" if at_least is not None else f"<= {at_most}{unit}"
    kept = have >= at_least if at_least is not None else have <= at_most
    PROMISES.append((what, f"{have:.2f}{unit}", limit, kept))
    note(what, f"{have:.2f}{unit} ({limit}{'' if kept else ', BROKEN'}); {words}")


def right(what, told, words=""):
    """What is fast and wrong is nothing: a total that is not the generator's breaks the run."""
    if not told:
        PROMISES.append((f"{what}: the totals", words or "wrong", "as generated", False))
        note(what, f"TOTALS WRONG {words}")


def skipped(what, why):
    PROMISES.append((what, "skipped", why, None))
    note(what, f"skipped: {why}")


def broken():
    """The table of all promises of this run; true when one is broken."""
    title("Promises")
    words = {True: "kept", False: "BROKEN", None: "not measured"}
    for what, have, limit, kept in PROMISES:
        note(what, f"{have:>12}   {limit:<24} {words[kept]}")
    bad = sum(kept is False for _, _, _, kept in PROMISES)
    print(f"\n{sum(kept is True for _, _, _, kept in PROMISES)} kept, {bad} broken, "
          f"{sum(kept is None for _, _, _, kept in PROMISES)} not measured", flush=True)
    sys.stdout.flush()
    return bad > 0
