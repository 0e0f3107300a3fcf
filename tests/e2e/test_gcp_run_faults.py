"""Releases on Cloud Run when something is wrong: with the process, with the network, with the
release, with Cloud Run, or with what somebody else does meanwhile."""

import pytest

from conftest import end
from google_bench import NAMED
from run_site import bench, environment, site, visitors  # noqa: F401
from test_prometheus import wait_for

PATCH = "run.projects.locations.services.patch"
GET = "run.projects.locations.services.get"


@pytest.mark.parametrize("moment", ["staging", "shifting", "promoting"])
def test_a_process_that_is_killed_is_taken_up_by_another(site, bench, visitors, moment):
    site.target(steps="[50%, 100%]")
    bench.settings(converge_seconds=1.2, converge_steps=3)
    next_one = site.revision("v2")
    reached = {
        "staging": lambda: next_one in site.revisions(),
        "shifting": lambda: site.wanted().get((next_one, "next"), 0) >= 50,
        "promoting": lambda: site.wanted() == {(next_one, None): 100},
    }[moment]
    rollout = site.begin("v2")
    try:
        wait_for(reached, f"it is {moment}")
    finally:
        end(rollout)
    done = site.must("resume")
    assert "v2 done in production" in done.out, done
    site.serves(next_one)
    assert sorted(site.revisions()) == sorted([site.first, next_one])
    visitors.stop()
    assert visitors.lost == []
    site.must("verify")


def test_killed_in_the_middle_it_can_be_taken_back(site, bench):
    bench.settings(converge_seconds=2)
    rollout = site.begin("v2")
    try:
        wait_for(lambda: site.revision("v2") in site.revisions(), "the revision is there")
    finally:
        end(rollout)
    bench.settings(converge_seconds=0.3)
    site.must("rollback", "--yes", "--reason", "it hung")
    site.serves(site.first)


STALE = ['"etag": "[^,]*", ', '"etag": "\\\\"stale\\\\"", ']


def test_throttling_lost_answers_and_stale_etags_do_no_harm(site, bench, visitors):
    site.target(steps="[50%, 100%]")
    failed = len(bench.failed())
    bench.control(faults={
        # The first of each is the survey's.
        GET: [{}, {"replace": STALE}, {"refuse": "RESOURCE_EXHAUSTED", "status": 429, "times": 2},
              {"cut": "after"}],
        PATCH: [
            {}, {}, {"refuse": "UNAVAILABLE", "status": 503, "after": True}, {},
            {"refuse": "RESOURCE_EXHAUSTED", "status": 429, "times": 2}, {"cut": "before"},
            {"refuse": "INTERNAL", "status": 500}, {"cut": "after"},
        ],
        "run.projects.locations.operations.get": [
            {"refuse": "NOT_FOUND", "status": 404}, {"cut": "after"},
        ],
    })
    site.bring("v2")
    site.serves(site.revision("v2"))
    assert sorted(site.revisions()) == sorted([site.first, site.revision("v2")])
    stale = [words for words in bench.failed()[failed:] if words.startswith("ABORTED")]
    assert len(stale) == 3, "what was stale; and twice what had been taken in, but not answered"
    visitors.stop()
    assert visitors.lost == []


def test_a_release_that_does_not_start_gets_no_request_and_may_try_again(site, bench, visitors):
    site.target(steps="[50%, 100%]")
    bench.settings(bad_images=[site.digest("v2")])
    done = site.bring("v2", code=1)
    assert "rolled-back" in done.out and "container failed to start" in done.out, done
    site.serves(site.first)
    assert visitors.count(site.revision("v2")) == 0
    bench.settings(bad_images=[])
    site.bring("v2")
    site.serves(site.revision("v2") + "b")
    visitors.stop()
    assert visitors.lost == []
    site.must("verify")


def test_cloud_run_going_back_by_itself_is_a_failed_step(site, bench):
    site.target(steps="[20%, 60%, 100%]", bake="3s")
    bench.settings(strays={
        site.name: {"revision": site.revision("v2"), "from_percent": 60, "after": 1}
    })
    done = site.bring("v2", code=1)
    assert "rolled-back" in done.out, done
    bench.settings(strays={})
    site.serves(site.first)
    site.must("verify")


def test_traffic_that_somebody_else_moves_is_taken_for_a_failure(site, bench):
    site.target(steps="[50%, 100%]", bake="20s")
    rollout = site.begin("v2")
    try:
        wait_for(lambda: site.serving().get(site.revision("v2")) == 50, "half of it is out")
        site.patch(traffic=[{"type": NAMED, "revision": site.first, "percent": 100}])
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 1 and "rolled-back" in out, (out, err)
    site.serves(site.first)
