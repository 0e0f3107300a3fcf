"""Releases on managed instance groups of Compute Engine: each is an instance template that gets a
number of the group's instances (group_site.py)."""

import time

import pytest

from cloud_site import Visitors
from conftest import end
from google_bench import COMPUTE, REGION, page_permissions
from group_site import GroupSite, bench, environment, site, visitors  # noqa: F401
from test_prometheus import wait_for

GROUP = "compute.instanceGroupManagers."
MADE = '{{image: "learn-${{release}}", metadata: {{release: "${{release}}", tier: web}}}}'


def test_good_releases_go_out_and_come_back_and_lose_no_request(site, bench, visitors):
    known = site.must("status", "--format", "json").json()["targets"][0]["known_good"]
    assert known == "v1", "the release is told by the template's name"
    site.build("v2")
    done = site.bring("v2")
    assert "v2 done in production" in done.out
    site.serves(f"{site.name}-v2")
    assert visitors.count(f"{site.name}-v2") > 20
    site.must("rollback", "--yes", "--reason", "a complaint")
    site.serves(site.first)
    visitors.stop()
    assert visitors.lost == [], visitors.lost[:10]
    site.must("verify")
    left = bench.unused(page_permissions("gcp-mig.md"))
    assert not {"compute.instanceGroupManagers.update", "compute.instanceTemplates.get"} & left, left


def test_each_step_is_a_number_of_instances_rounded_up(site, bench):
    site.target(steps="[5%, 26%, 100%]", bake="3s")
    site.build("v2")
    rollout, seen = site.begin("v2"), []
    try:
        while rollout.poll() is None:
            versions = site.versions()
            if versions not in seen:
                seen.append(versions)
            time.sleep(0.05)
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 0, (out, err)
    second = f"{site.name}-v2"
    assert seen == [[(site.first, None)], [(site.first, None), (second, 1)],
                    [(site.first, None), (second, 2)], [(second, None)]]


def test_a_template_is_made_of_that_of_known_good(tmp_path, bench):
    site = GroupSite(
        tmp_path / "site", bench, place=f"regions/{REGION}", artifact=MADE, size=3
    )
    site.must("adopt")
    site.target(steps="[30%, 100%]")
    bench.create_image("learn-v2", family="learn")
    bench.create_image("learn-v3", family="learn")
    site.bring("v2")
    [second] = [name for name in site.templates() if name != site.first]
    assert second.startswith(f"{site.name}-v2-")
    site.serves(second, 3)
    template = bench.api("GET", f"{COMPUTE}/global/instanceTemplates/{second}")
    properties = template["properties"]
    first = bench.api("GET", f"{COMPUTE}/global/instanceTemplates/{site.first}")["properties"]
    assert properties["machineType"] == first["machineType"], "what it is not about stays"
    assert properties["disks"][0]["initializeParams"]["sourceImage"].endswith("images/learn-v2")
    items = {item["key"]: item["value"] for item in properties["metadata"]["items"]}
    assert items == {"release": "v2", "tier": "web"}
    assert "release=v2" in template["description"]
    site.bring("v3")
    site.must("rollback", "--yes", "--reason", "a complaint")
    site.serves(second, 3)
    assert len(site.templates()) == 3
    site.must("verify")


def test_an_opportunistic_group_is_told_which_instances(tmp_path, bench):
    site = GroupSite(tmp_path / "site", bench, type="OPPORTUNISTIC")
    site.must("adopt")
    before = bench.calls(GROUP + "applyUpdatesToInstances")
    site.build("v2")
    visitors = Visitors(bench.state(site.name)["url"])
    try:
        site.bring("v2")
        site.serves(f"{site.name}-v2")
        site.must("rollback", "--yes", "--reason", "a complaint")
    finally:
        visitors.stop()
    site.serves(site.first)
    assert bench.calls(GROUP + "applyUpdatesToInstances") >= before + 4
    assert visitors.lost == []


@pytest.mark.parametrize("moment", ["shifting", "replacing", "promoting"])
def test_a_process_that_is_killed_is_taken_up_by_another(site, bench, visitors, moment):
    site.target(steps="[50%, 100%]")
    bench.settings(create_seconds=0.8)
    second = site.build("v2")
    reached = {
        "shifting": lambda: site.versions() == [(site.first, None), (second, 2)],
        "replacing": lambda: site.instances().get(second) == 1,
        "promoting": lambda: site.versions() == [(second, None)],
    }[moment]
    rollout = site.begin("v2")
    try:
        wait_for(reached, f"it is {moment}")
    finally:
        end(rollout)
    done = site.must("resume")
    assert "v2 done in production" in done.out, done
    site.serves(second)
    visitors.stop()
    assert visitors.lost == []
    site.must("verify")


def test_killed_in_the_middle_it_can_be_taken_back(site, bench):
    bench.settings(create_seconds=1.0)
    second = site.build("v2")
    rollout = site.begin("v2")
    try:
        wait_for(lambda: second in site.instances(), "an instance is under way")
    finally:
        end(rollout)
    site.must("rollback", "--yes", "--reason", "it hung")
    site.serves(site.first)
