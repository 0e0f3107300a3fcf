"""Releases on managed instance groups of Compute Engine: each is an instance template that gets a
number of the group's instances. The bench checks every request by Google's own documents, makes and
checks instances in time, and balances real requests over them; what is asserted of it at the end
comes from its API, asked without sluice."""

import itertools
import time

import pytest

from cloud_site import CloudSite, Visitors
from conftest import end
from google_bench import COMPUTE, PROJECT, REGION, ZONE, GoogleBench
from test_prometheus import wait_for

GROUP = "compute.instanceGroupManagers."
numbers = itertools.count(1)

STAGE = """\
rollout:
  - stage: production
    targets: [web]
    steps: {steps}
    step_bake: {bake}
    bake: {bake}
{more}ledger: {{branch: release-ledger, remote: origin}}
incidents: {{on_rollback: P2}}
"""
BUILT = '{{template: "{group}-${{release}}"}}'
MADE = '{{image: "learn-${{release}}", metadata: {{release: "${{release}}", tier: web}}}}'
PROBE = """\
metrics:
  courses: {{source: probe, url: "{url}/courses", every: 1s, requests: 12, max_failures: 1}}
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = GoogleBench(tmp_path_factory.mktemp("google") / "log")
    yield bench
    bench.stop()


@pytest.fixture(autouse=True)
def environment(bench, tmp_path, monkeypatch):
    for name, value in bench.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    bench.control(faults={}, denied=[])
    bench.settings(bad_images=[], strays={}, create_seconds=0.2, verify_seconds=0.2)
    refused = len(bench.refused())
    yield
    bench.control(faults={}, denied=[])
    assert bench.refused()[refused:] == []


class GroupSite(CloudSite):
    """A group of its own in the bench, all of whose instances are of one template, and a repository
    for it."""

    def __init__(self, folder, bench, size=4, place=f"zones/{ZONE}", artifact=BUILT, **policy):
        super().__init__(folder)
        self.bench, self.name, self.place = bench, f"web{next(numbers)}", place
        self.artifact = artifact
        bench.settings(serve=[self.name])
        self.first = f"{self.name}-v1"
        self.build("v1")
        bench.create_group(self.name, self.first, size, place, **policy)
        self.target()

    def build(self, release):
        """What a build does, that makes templates."""
        name = f"{self.name}-{release}"
        self.bench.create_template(name, f"global/images/learn-{release}", release=release)
        return name

    def target(self, steps="[25%, 50%, 100%]", bake="1s", metrics="", more=""):
        kind, _, place = self.place.partition("/")
        artifact = self.artifact.format(group=self.name)
        more = ("    metrics: [courses]\n" if metrics else "") + more
        self.configure(
            f"targets:\n  web: {{kind: gcp-mig, project: {PROJECT}, {kind[:-1]}: {place}, "
            f"group: {self.name}, artifact: {artifact}}}\n"
            + metrics + STAGE.format(steps=steps, bake=bake, more=more)
        )

    def bring(self, release, *words, code=0):
        self.change(release)
        done = self.run("rollout", release, *words)
        assert code in (done.code, None), done
        return done

    def begin(self, release):
        self.change(release)
        return self.start("rollout", release)

    # ---- what is there, by the API alone ---------------------------------------------------------

    def group(self):
        return self.bench.group(self.name, self.place)

    def instances(self):
        return self.bench.instances(self.name, self.place)

    def versions(self):
        return [
            (version["instanceTemplate"].rpartition("/")[2],
             version.get("targetSize", {}).get("fixed"))
            for version in self.group()["versions"]
        ]

    def templates(self):
        told = self.bench.api("GET", f"{COMPUTE}/global/instanceTemplates")["items"]
        return [t["name"] for t in told if t["name"].startswith(f"{self.name}-")]

    def resize(self, size):
        self.bench.operate(
            "POST", self.place, f"instanceGroupManagers/{self.name}/resize?size={size}")

    def serves(self, template, size=4):
        """All of it, as the group says, its instances, and those who balance requests over them."""
        group = self.group()
        assert self.versions() == [(template, None)]
        assert self.instances() == {template: size}
        assert group["status"]["isStable"] and group["status"]["versionTarget"]["isReached"]
        assert group["targetSize"] == size
        servers = self.bench.state(self.name)["servers"].values()
        assert {server["revision"] for server in servers} == {template}


@pytest.fixture
def site(tmp_path, bench):
    site = GroupSite(tmp_path / "site", bench)
    site.must("adopt")
    return site


@pytest.fixture
def visitors(site, bench):
    visitors = Visitors(bench.state(site.name)["url"])
    yield visitors
    visitors.stop()


def test_good_releases_go_out_and_come_back_and_lose_no_request(site, visitors):
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
