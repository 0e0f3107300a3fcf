"""SIGKILL at random moments: what is left is always continued to a right end by `sluice resume`.

SLUICE_KILLS sets how often (5; by night 50), SLUICE_SEED the moments.
"""

import os
import random
import signal

import pytest

from conftest import end

KILLS = int(os.environ.get("SLUICE_KILLS", "5"))
SEED = int(os.environ.get("SLUICE_SEED", "1"))


def resume(site):
    """As a schedule would: until nothing is open any more."""
    for _ in range(6):
        done = site.run("resume", "--wait", "block")
        assert done.code in (0, 1), done
        if not site.must("status", "--format", "json").json()["rollouts"]:
            return
    raise AssertionError(done)


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_and_resumed(site, number):
    dice = random.Random(SEED * 1000 + number)
    bad = number % 2 == 1
    site.release("2-search")
    if bad:
        site.release("3-recommend")
    name = "v3" if bad else "v2"
    moment = dice.uniform(0.05, 9.0)
    child = site.start("rollout", name)
    try:
        child.wait(timeout=moment)
    except Exception:
        child.send_signal(signal.SIGKILL)
    finally:
        out, err = end(child)
    resume(site)
    where = f"killed after {moment:.2f} s\n{out}\n{err}"
    if site.must("status", "--format", "json").json()["targets"][0]["known_good"] == "v1":
        assert site.serving() == {"v1"}, where
    else:
        assert not bad, where
        assert site.serving() == {"v2"}, where
    site.must("verify")
