"""What the tests of ECS targets share: a repository whose target is in a world of the bench, and what
the vendor's own client says of that world."""

import itertools
import time

import pytest

from aws_bench import AwsBench, page_policy, statement
from aws_worlds import EXECUTION_ROLE, TASK_ROLE, EcsWorld
from cloud_site import CloudSite, Visitors

numbers = itertools.count(1)

TIME = """\
metrics:
  time:
    source: cloudwatch
    namespace: AWS/ApplicationELB
    dimensions: {{LoadBalancer: "{balancer}"}}
    metric: TargetResponseTime
    statistic: Maximum
    max: 400ms
    every: 1s
    lag: 1s
"""
STAGE = """\
rollout:
  - stage: production
    targets: [web]
    steps: {steps}
    step_bake: {bake}
    bake: {bake}
{metrics}ledger: {{branch: release-ledger, remote: origin}}
incidents: {{on_rollback: P2}}
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = AwsBench(tmp_path_factory.mktemp("aws") / "log")
    yield bench
    bench.stop()


@pytest.fixture(autouse=True)
def environment(bench, tmp_path, monkeypatch):
    for name, value in bench.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    bench.control(faults={}, stuck={})
    refused = len(bench.refused())
    yield
    bench.control(faults={}, stuck={})
    meant = ("ThrottlingException", "Throttling", "AccessDenied", "ServerException")
    assert [words for words in bench.refused()[refused:] if not words.startswith(meant)] == []


@pytest.fixture
def world(bench):
    return EcsWorld(bench, name=f"web{next(numbers)}")


def weighted(world):
    return (
        f'services: [{world.blue}, {world.green}], listener_rule: "{world.rule}"'
    )


def rolling(world):
    return f"service: {world.blue}"


def policy(world):
    """As the page has it."""
    return page_policy("targets/aws-ecs.md", {
        "arn:aws:ecr:REGION:ACCOUNT:repository/learn": world.repository["repositoryArn"],
        "FAMILY": world.name,
        "learn/web-blue": f"{world.cluster}/{world.blue}",
        "learn/web-green": f"{world.cluster}/{world.green}",
        "RULE": world.rule, "TASK ROLE": TASK_ROLE, "EXECUTION ROLE": EXECUTION_ROLE,
    })


class EcsSite(CloudSite):
    """Whose sluice may do what the page says, and nothing else."""

    def __init__(self, folder, world):
        super().__init__(folder)
        self.world, self.policy = world, policy(world)
        self.may()

    def target(self, shape, steps="[50%, 100%]", bake="1s", timed=False):
        world = self.world
        balancer = world.balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
        if timed:
            self.may(statement("*", "cloudwatch:GetMetricData"))
        self.configure(
            f"targets:\n  web: {{kind: aws-ecs, cluster: {world.cluster}, {shape(world)},\n"
            f'        artifact: {{image: "{world.uri}@${{digest}}", container: web}}}}\n'
            + (TIME.format(balancer=balancer) if timed else "")
            + STAGE.format(steps=steps, bake=bake, metrics="    metrics: [time]\n" * timed)
        )

    def bring(self, release, *words, code=0, **environment):
        digest = self.world.push(release, **environment)
        self.change(release)
        done = self.run("rollout", release, "--artifact", f"web={digest}", *words)
        assert done.code == code, done
        return digest, done


@pytest.fixture
def visitors(world):
    visitors = Visitors(world.url)
    yield visitors
    visitors.stop()


def wait_for(what, words, seconds=30):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, words
        time.sleep(0.05)


def serves(world, release, service, count=2, digest=None):
    """All of it, by what the vendor's client says: the weights, the image, the tasks, their health;
    of the other service nothing is left."""
    other = world.green if service == world.blue else world.blue
    blue, green = world.weights()
    assert (blue > 0) == (service == world.blue) and (green > 0) == (service == world.green)
    told = world.settled(service)
    assert told["desiredCount"] == count and len(told["deployments"]) == 1
    assert digest in (None, world.digest(service))
    assert world.health(service) == ["healthy"] * count
    wait_for(lambda: world.service(other)["runningCount"] == 0, "the other one is scaled away")
    assert world.service(other)["desiredCount"] == 0


def definitions(world):
    return world.ecs.list_task_definitions(familyPrefix=world.name)["taskDefinitionArns"]
