"""SIGKILL at random moments: what is left is always continued to a right end by `sluice resume`.

SLUICE_KILLS sets how often (5; by night 50). SLUICE_SEED sets the moments: they are others in every
run, and the seed of a run is printed at its end.
"""

import os
import random
import signal
import subprocess

import pytest

from conftest import SEED, end

KILLS = int(os.environ.get("SLUICE_KILLS", "5"))


def resume(site):
    """As a schedule would: until nothing is open any more. Gives what was said."""
    said = ""
    for _ in range(6):
        done = site.run("resume", "--wait", "block", "--verbose")
        said += done.out + done.err
        assert done.code in (0, 1), done
        if not site.must("status", "--format", "json").json()["rollouts"]:
            return said
    raise AssertionError(said)


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_and_resumed(site, number):
    dice = random.Random(SEED * 1000 + number)
    bad = number % 2 == 1
    # One request in five fails of a bad one: with a hundred of them it cannot pass for a good one,
    # however slow the machine is.
    site.config("min_requests: 40", "min_requests: 100, inconclusive: {extend: 5}")
    site.release("2-search")
    if bad:
        site.release("3-recommend")
    name = "v3" if bad else "v2"
    moment = dice.uniform(0.05, 9.0)
    child = site.start("rollout", name)
    try:
        child.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
    finally:
        out, err = end(child)
    said = resume(site)
    story = site.run("show", f"{name}-production-1").out
    where = f"SLUICE_SEED={SEED}, number {number}: after {moment:.2f} s\n{err}\n{said}\n{story}"
    if site.must("status", "--format", "json").json()["targets"][0]["known_good"] == "v1":
        assert site.serving() == {"v1"}, where
    else:
        assert not bad, where
        assert site.serving() == {"v2"}, where
    planned = [e for e in site.events() if e["type"] == "rollout.planned"]
    over = [e for e in site.events()
            if e["type"] in ("rollout.done", "rollout.rolled-back", "rollout.cancelled")]
    assert {e["rollout"] for e in planned} == {e["rollout"] for e in over}, where
    site.must("verify")
