"""What goes wrong with releases on managed instance groups (group_site.py): bad ones, sick machines,
other people, lost answers."""

import time

import pytest

from conftest import end
from google_bench import ZONE
from group_site import bench, environment, site, visitors  # noqa: F401
from test_prometheus import wait_for

GROUP = "compute.instanceGroupManagers."
PROBE = """\
metrics:
  courses: {{source: probe, url: "{url}/courses", every: 1s, requests: 12, max_failures: 1}}
"""


def test_a_bad_release_is_taken_back(site, bench, visitors):
    url = bench.state(site.name)["url"]
    site.target(steps="[50%, 100%]", bake="10s", metrics=PROBE.format(url=url))
    site.build("bad2")
    done = site.bring("bad2", code=1)
    assert "rolled-back" in done.out and "courses on web" in done.out, done
    site.serves(site.first)
    assert visitors.count(f"{site.name}-bad2") > 0
    visitors.stop()
    assert visitors.lost == []
    site.must("verify")


STALE = ['"fingerprint": *"[^"]*"', '"fingerprint": "c3RhbGU="']


def test_throttling_lost_answers_and_stale_fingerprints_do_no_harm(site, bench, visitors):
    site.target(steps="[50%, 100%]")
    second = site.build("v2")
    failed = len(bench.failed())
    bench.control(faults={
        GROUP + "get": [
            {}, {}, {"refuse": "RESOURCE_EXHAUSTED", "status": 429, "times": 2},
            {"replace": STALE}, {"cut": "after"}, {}, {"replace": STALE},
        ],
        GROUP + "listManagedInstances": [{"cut": "after"}, {"cut": "before"}],
        GROUP + "patch": [
            {"cut": "after"}, {"refuse": "UNAVAILABLE", "status": 503, "after": True},
            {"cut": "before"}, {"refuse": "RESOURCE_EXHAUSTED", "status": 429, "times": 2},
            {"refuse": "INTERNAL", "status": 500},
        ],
        "compute.zoneOperations.get": [{"refuse": "NOT_FOUND", "status": 404}, {"cut": "after"}],
    })
    site.bring("v2")
    site.serves(second)
    assert any("fingerprint" in words for words in bench.failed()[failed:])
    visitors.stop()
    assert visitors.lost == []


def test_instances_that_never_become_healthy_get_no_request(site, bench, visitors):
    site.target(steps="[25%, 100%]", more="    settle_limit: 8s\n")
    second = site.build("v2")
    bench.settings(bad_images=[second])
    done = site.bring("v2", code=1)
    assert "rolled-back" in done.out and "did not settle" in done.out, done
    site.serves(site.first)
    assert visitors.count(second) == 0
    visitors.stop()
    assert visitors.lost == []


def test_instances_that_fall_ill_while_it_bakes_are_a_failure(site, bench):
    site.target(steps="[50%, 100%]", bake="15s", more="    settle_limit: 8s\n")
    second = site.build("v2")
    bench.settings(strays={site.name: {"revision": second, "after": 2}})
    done = site.bring("v2", code=1)
    assert "rolled-back" in done.out, done
    bench.settings(strays={})
    wait_for(lambda: site.instances() == {site.first: 4}, "known good has all of it")
    site.serves(site.first)


def test_an_autoscaler_may_change_the_size_at_any_time(site, bench):
    site.target(steps="[25%, 100%]", bake="6s")
    second = site.build("v2")
    rollout = site.begin("v2")
    try:
        wait_for(lambda: site.instances() == {site.first: 3, second: 1}, "a quarter is out")
        time.sleep(2)
        site.resize(6)
        wait_for(lambda: site.instances() == {site.first: 5, second: 1}, "it has grown")
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 0, (out, err)
    site.serves(second, 6)
    site.resize(3)
    bench.stable(site.name)
    site.must("rollback", "--yes", "--reason", "a complaint")
    site.serves(site.first, 3)


def test_versions_that_somebody_else_changes_are_taken_for_a_failure(site, bench):
    site.target(steps="[50%, 100%]", bake="20s")
    second = site.build("v2")
    rollout = site.begin("v2")
    try:
        wait_for(lambda: site.instances() == {site.first: 2, second: 2}, "half of it is out")
        time.sleep(1.5)
        bench.patch_group(
            site.name, versions=[{"instanceTemplate": f"global/instanceTemplates/{site.first}"}])
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 1 and "rolled-back" in out, (out, err)
    site.serves(site.first)


# ---- what is refused before anything is touched -------------------------------------------------


def no_group(site, bench):
    site.config(f"group: {site.name}", "group: nobody")
    return f"there is no instance group nobody in {ZONE} of project bench"


def no_permission(site, bench):
    bench.control(denied=["compute.instanceGroupManagers.update"])
    return "roles/compute.instanceAdmin.v1"


def no_reading(site, bench):
    bench.control(denied=["compute.instanceGroupManagers.get"])
    return "compute.instanceGroupManagers.get"


def no_replacing(site, bench):
    bench.patch_group(site.name, updatePolicy={"mostDisruptiveAllowedAction": "RESTART"})
    return "`mostDisruptiveAllowedAction`"


def no_template(site, bench):
    return f"{site.name}-v2"


@pytest.mark.parametrize(
    "broken", [no_group, no_permission, no_reading, no_replacing, no_template])
def test_what_would_fail_is_said_before_anything_is_touched(site, bench, broken):
    before = site.group()["versions"]
    said = broken(site, bench)
    if broken is not no_template:
        site.build("v2")
    done = site.bring("v2", code=None)
    bench.control(denied=[])
    assert done.code in (1, 2, 3) and said in done.err, done
    assert site.group()["versions"] == before
