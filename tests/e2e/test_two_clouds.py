"""One release over both clouds at once: a service of Amazon ECS behind weights, and one of Cloud Run.
What is asserted of them at the end comes from the vendors' own clients and APIs."""

import itertools
import signal

import pytest

from aws_bench import AwsBench
from aws_worlds import TASK_ROLE, EcsWorld
from cloud_site import CloudSite, Visitors
from conftest import end
from ecs_site import serves
from google_bench import PROJECT, REGION, GoogleBench
from test_prometheus import wait_for

numbers = itertools.count(1)
CONFIGURATION = """\
google: {{project: {project}}}
targets:
  web: {{kind: aws-ecs, cluster: {cluster}, services: [{blue}, {green}], listener_rule: "{rule}",
        artifact: {{image: "{uri}@${{digest}}", container: web}}}}
  search: {{kind: gcp-run, region: {region}, service: {service},
           artifact: {{image: "{repository}@${{digest}}"}}}}
metrics:
  courses: {{source: probe, url: "http://${{host}}:${{port}}/courses", every: 1s, requests: 3,
            max_failures: 1, targets: [search]}}
rollout:
  - stage: production
    targets: [web, search]
    steps: [50%, 100%]
    step_bake: {bake}
    bake: {bake}
    metrics: [courses]
ledger: {{branch: release-ledger, remote: origin}}
incidents: {{on_rollback: P2}}
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    bench = AwsBench(tmp_path_factory.mktemp("aws") / "log")
    yield bench
    bench.stop()


@pytest.fixture(scope="module")
def google(tmp_path_factory):
    bench = GoogleBench(tmp_path_factory.mktemp("google") / "log")
    yield bench
    bench.stop()


@pytest.fixture(autouse=True)
def environment(aws, google, tmp_path, monkeypatch):
    for name, value in {
        **google.environment(tmp_path),
        **aws.environment(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    yield
    aws.control(faults={}, denied=[])
    google.control(faults={}, denied=[])
    assert google.refused() == [] and aws.refused() == []


class TwoClouds(CloudSite):
    def __init__(self, folder, aws, google):
        super().__init__(folder)
        self.google, number = google, next(numbers)
        self.world, self.service = EcsWorld(aws, name=f"web{number}"), f"search{number}"
        google.settings(
            serve=[self.service], public_images=["bench/learn/app", "bench/bad/app"],
            converge_seconds=0.5,
        )
        self.folder = "bench/learn/app"
        google.create_service(self.service, f"{self.image()}@{self.digest('v1')}")
        self.first = self.served()
        self.target()
        self.must("adopt")

    def image(self):
        return f"127.0.0.1:{self.google.port}/{self.folder}"

    def digest(self, release):
        return self.google.push_image(self.folder, release)

    def target(self, bake="2s"):
        world = self.world
        self.configure(
            CONFIGURATION.format(
                project=PROJECT, region=REGION, cluster=world.cluster, blue=world.blue,
                green=world.green, rule=world.rule, uri=world.uri, service=self.service,
                repository=self.image(), bake=bake,
            )
        )

    def words(self, release):
        self.change(release)
        return [
            "rollout", release, "--artifact", f"web={self.world.push(release)}",
            "--artifact", f"search={self.digest(release)}",
        ]

    def served(self):
        (revision,) = [name for name, percent in self.google.serving(self.service).items() if percent]
        return revision


@pytest.fixture
def site(tmp_path, aws, google):
    return TwoClouds(tmp_path / "site", aws, google)


def test_a_release_goes_out_on_both_and_back_on_both(site):
    visitors = Visitors(site.world.url)
    try:
        done = site.must(*site.words("v2"))
        assert "v2 done in production" in done.out
        serves(site.world, "v2", site.world.green)
        assert site.served().startswith(f"{site.service}-v2-")
        site.must("rollback", "--yes", "--reason", "a complaint")
    finally:
        visitors.stop()
    serves(site.world, "v1", site.world.blue)
    assert site.served() == site.first
    assert visitors.lost == [], visitors.lost[:10]
    site.must("verify")


def test_a_breach_on_one_takes_both_back(site):
    site.folder = "bench/bad/app"  # of Cloud Run alone, every third answer is an error
    site.target(bake="8s")
    done = site.run(*site.words("v2"))
    assert done.code == 1 and "rolled-back" in done.out and "courses on search" in done.out, done
    serves(site.world, "v1", site.world.blue)
    assert site.served() == site.first
    went = [e["body"] for e in site.events() if e["type"] == "command.intended"]
    assert any("revert" in str(body) for body in went)
    site.must("verify")


def test_what_was_killed_between_the_clouds_is_brought_to_its_end(site, google):
    google.settings(converge_seconds=2)
    rollout = site.start(*site.words("v2"))
    try:
        wait_for(lambda: sum(site.world.weights()[1:]) > 0, "half of the requests of AWS moved")
        rollout.send_signal(signal.SIGKILL)
    finally:
        end(rollout)
        google.settings(converge_seconds=0.5)
    done = site.must("resume", "--wait", "block")
    assert "v2 done in production" in done.out, done
    serves(site.world, "v2", site.world.green)
    assert site.served().startswith(f"{site.service}-v2-")
    site.must("verify")


def test_the_doctor_says_which_permission_is_missing(site, aws, google):
    healthy = site.must("doctor")
    assert "ok       target web: all " in healthy.out, healthy
    assert "ok       target search: all " in healthy.out, healthy
    aws.control(denied=["ecs:UpdateService", "iam:PassRole"])
    google.control(denied=["run.services.update"])
    ill = site.must("doctor", code=1)
    assert "bad      target web: ecs:UpdateService is missing on " in ill.out, ill
    assert f"iam:PassRole is missing on {TASK_ROLE}" in ill.out, ill
    assert "bad      target search: run.services.update is missing" in ill.out, ill
    assert site.served() == site.first, "and nothing was touched"
