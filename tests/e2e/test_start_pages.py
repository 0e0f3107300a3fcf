"""The first release on each cloud, with exactly the configuration and the commands of its page. Only
the bakes are shorter here, and what is `…` on the page is filled in."""

import re

import pytest

from aws_bench import KEYS, AwsBench, page_policy
from aws_worlds import EXECUTION_ROLE, TASK_ROLE, EcsWorld
from cloud_site import CloudSite, Visitors
from conftest import ROOT
from ecs_site import serves
from google_bench import PROJECT, GoogleBench

PAGES = ROOT / "deploy/targets"
BLOCK = re.compile(r"```(yaml|sh)\n(.+?)```", re.S)


def read(page):
    blocks = BLOCK.findall((PAGES / page).read_text())
    (configuration,) = [text for kind, text in blocks if kind == "yaml"]
    commands = [
        line for kind, text in blocks if kind == "sh"
        for line in text.splitlines() if line.startswith("sluice ")
    ]
    for bake in ("step_bake: 10m", "bake: 30m"):
        assert bake in configuration
        configuration = configuration.replace(bake, bake.partition(":")[0] + ": 4s")
    return configuration, commands


class Reader(CloudSite):
    """Somebody with a repository and the page."""

    def follow(self, page, digest, shorter):
        configuration, commands = read(page)
        for old, new in shorter:
            assert old in configuration
            configuration = configuration.replace(old, new)
        (self.repository / ".github/sluice.yml").write_text(configuration)
        self.save("The first configuration")
        said = {}
        for command in commands:
            words = command.replace("sha256:…", digest).split(" ", 1)[1]
            reason = re.search(r'"(.+)"', words)
            words = words.replace(reason.group(0), "REASON") if reason else words
            words = [reason.group(1) if word == "REASON" else word for word in words.split()]
            if words[0] == "rollback":
                self.at_the_release()
            said[words[0]] = self.must(*words).out
        return said


@pytest.fixture
def aws(tmp_path, monkeypatch):
    bench = AwsBench(tmp_path / "log")
    for name, value in {
        **KEYS, "AWS_ENDPOINT_URL": bench.url, "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    yield bench
    bench.stop()


def test_the_page_for_aws(tmp_path, aws, monkeypatch):
    world = EcsWorld(aws)
    monkeypatch.setenv("LISTENER_RULE", world.rule)
    monkeypatch.setenv("REPOSITORY", world.uri)
    balancer = world.balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
    monkeypatch.setenv("BALANCER", balancer)
    reader = Reader(tmp_path / "reader")
    reader.at_the_release = lambda: serves(world, "v2", world.green)
    policy = page_policy("targets/start-aws.md", {"TASK ROLE": TASK_ROLE, "EXECUTION ROLE": EXECUTION_ROLE})
    reader.as_whom = aws.limited(policy)
    visitors = Visitors(world.url, count=1)  # a gauge of no requests has no value
    try:
        said = reader.follow(
            "start-aws.md", world.push("v2"),
            [("every: 10s", "every: 1s"), ("lag: 2m", "lag: 1s")],
        )
    finally:
        visitors.stop()
    assert "permissions are there" in said["doctor"] and "v2 done in production" in said["rollout"]
    serves(world, "v1", world.blue)
    assert visitors.lost == [] and aws.refused() == []
    assert aws.unused(reader.as_whom, policy) == {"ecr:BatchGetImage"}  # the registry's own API


def test_the_page_for_google(tmp_path, monkeypatch):
    bench = GoogleBench(tmp_path / "log")
    try:
        for name, value in bench.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        folder = "bench/learn/app"
        bench.settings(serve=["search"], public_images=[folder], converge_seconds=0.3)
        repository = f"127.0.0.1:{bench.port}/{folder}"
        bench.create_service("search", f"{repository}@{bench.push_image(folder, 'v1')}")
        first = bench.serving("search")
        monkeypatch.setenv("PROJECT", PROJECT)
        monkeypatch.setenv("REPOSITORY", repository)
        reader = Reader(tmp_path / "reader")

        def at_the_release():
            (name,) = [name for name, percent in bench.serving("search").items() if percent]
            assert name.startswith("search-v2-")

        reader.at_the_release = at_the_release
        said = reader.follow(
            "start-google.md", bench.push_image(folder, "v2"), [("every: 5s", "every: 1s")]
        )
        assert "permissions are there" in said["doctor"]
        assert "v2 done in production" in said["rollout"]
        served = {name: percent for name, percent in bench.serving("search").items() if percent}
        assert served == first and bench.refused() == []
    finally:
        bench.stop()
