"""Releases on Amazon ECS, on one service whose tasks are replaced (see test_aws_ecs.py)."""

import signal
import time

import pytest

from conftest import end
from ecs_site import (  # noqa: F401
    EcsSite, bench, definitions, environment, rolling, visitors, wait_for, world,
)


@pytest.fixture
def rolled(tmp_path, world):
    site = EcsSite(tmp_path / "site", world)
    site.target(rolling, steps="[100%]")
    site.must("adopt")
    return site


def test_one_service_is_replaced_and_comes_back(rolled, world, visitors):
    digest, _ = rolled.bring("v2")
    assert world.digest(world.blue) == digest and len(world.service(world.blue)["deployments"]) == 1
    rolled.must("rollback", "--yes", "--reason", "a complaint")
    told = world.settled(world.blue)
    assert world.digest(world.blue) == world.first and told["desiredCount"] == 2
    visitors.stop()
    assert visitors.lost == [] and visitors.count("v2") > 20
    rolled.must("verify")


def test_one_service_that_goes_back_by_itself_has_failed(rolled, world, visitors):
    _, done = rolled.bring("v2", code=1, CRASH="0")
    back = f"did not stay on {world.name}:2 and went back to {world.name}:1: ECS deployment"
    assert "rolled-back" in done.out and back in done.out, done
    world.settled(world.blue)
    assert world.digest(world.blue) == world.first
    assert world.health(world.blue) == ["healthy"] * 2
    visitors.stop()
    assert visitors.lost == []


def test_one_service_that_goes_back_later_is_seen(rolled, world, bench):
    rolled.target(rolling, steps="[100%]", bake="20s")
    digest = world.push("v2")
    rolled.change("v2")
    rollout = rolled.start("rollout", "v2", "--artifact", f"web={digest}")
    try:
        wait_for(lambda: world.digest(world.blue) == digest, "it is on its way")
        world.settled(world.blue)
        time.sleep(1.5)
        bench.control(stray={"service": world.blue, "after": 0})
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 1 and "on its own" in out, (out, err)
    world.settled(world.blue)
    assert world.digest(world.blue) == world.first


def test_one_service_killed_in_the_middle_is_taken_up(rolled, world, bench):
    digest = world.push("v2", BOOT="1.5")
    rolled.change("v2")
    rollout = rolled.start("rollout", "v2", "--artifact", f"web={digest}")
    wait_for(lambda: len(world.service(world.blue)["deployments"]) == 2, "it is under way")
    rollout.send_signal(signal.SIGKILL)
    rollout.communicate()
    done = rolled.must("resume")
    assert "v2 done in production" in done.out, done
    world.settled(world.blue)
    assert world.digest(world.blue) == digest


def test_one_service_has_no_shares(rolled, world):
    rolled.target(rolling, steps="[5%, 100%]")
    digest = world.push("v2")
    rolled.change("v2")
    done = rolled.run("rollout", "v2", "--artifact", f"web={digest}")
    assert done.code == 2 and "no step below 100 % is possible" in done.err, done
    assert len(definitions(world)) == 1
