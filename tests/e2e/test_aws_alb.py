"""Releases by the weights of a load balancer alone: the processes are put into the target groups by
somebody else (here: by the test). What is asserted at the end comes from the vendor's own client."""

import itertools
import signal
import time

import pytest

from aws_bench import AwsBench, page_policy, statement
from aws_worlds import AlbWorld
from cloud_site import CloudSite, Visitors
from conftest import end

numbers = itertools.count(1)

ERRORS = """\
metrics:
  errors:
    source: cloudwatch
    namespace: AWS/ApplicationELB
    metric: HTTPCode_Target_5XX_Count
    statistic: Sum
    dimensions: {{TargetGroup: "targetgroup/${{revision}}", LoadBalancer: "{balancer}"}}
    max: 2
    max_failures: 1
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
    bench.control(faults={})
    refused = len(bench.refused())
    yield
    bench.control(faults={})
    meant = ("Throttling", "AccessDenied", "InternalFailure")
    assert [words for words in bench.refused()[refused:] if not words.startswith(meant)] == []


@pytest.fixture
def world(bench):
    world = AlbWorld(bench, name=f"machines{next(numbers)}")
    yield world
    world.stop()


class AlbSite(CloudSite):
    """Whose sluice may do what the page says, and nothing else."""

    def __init__(self, folder, world):
        super().__init__(folder)
        self.world = world
        self.policy = page_policy("targets/aws-alb.md", {
            "RULE": world.rule, '"GROUP", "GROUP"': ", ".join(f'"{g}"' for g in world.groups.values()),
        })
        self.may()

    def target(self, steps="[50%, 100%]", bake="1s", errors=False, place=None):
        world = self.world
        if errors:
            self.may(statement("*", "cloudwatch:GetMetricData"))
        if place:
            self.may(statement(world.listener, "elasticloadbalancing:ModifyListener"),
                     statement("*", "elasticloadbalancing:DescribeListeners"))
        place = place or f'listener_rule: "{world.rule}"'
        balancer = world.balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
        self.configure(
            f"targets:\n  web: {{kind: aws-alb, {place},\n"
            f"        groups: {{{self.name(world.blue)}: '{world.groups[world.blue]}',\n"
            f"                 {self.name(world.green)}: '{world.groups[world.green]}'}}}}\n"
            + (ERRORS.format(balancer=balancer) if errors else "")
            + STAGE.format(steps=steps, bake=bake, metrics="    metrics: [errors]\n" * errors)
        )

    def name(self, group):
        """As metrics ask for it: the end of its ARN."""
        return self.world.groups[group].partition(":targetgroup/")[2]

    def deploy(self, group, release, **environment):
        """What somebody else does before a release: the group's machines are replaced."""
        world = self.world
        world.clear(group)
        for _ in range(2):
            world.start(group, release, **environment)

    def bring(self, release, group, *words, code=0, **environment):
        self.deploy(group, release, **environment)
        self.change(release)
        done = self.run("rollout", release, *words)
        assert done.code == code, done
        return done


@pytest.fixture
def site(tmp_path, world):
    site = AlbSite(tmp_path / "site", world)
    site.target()
    site.must("adopt")
    return site


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


def serves(world, group):
    blue, green = world.weights()
    assert (blue > 0, green > 0) == (group == world.blue, group == world.green)
    assert "healthy" in world.health(group)


def tags(world, group):
    told = world.elb.describe_tags(ResourceArns=[world.groups[group]])["TagDescriptions"]
    return {tag["Key"]: tag["Value"] for tag in told[0]["Tags"]}


def test_good_releases_take_turns_and_lose_no_request(site, world, visitors):
    done = site.bring("v2", world.green)
    assert "v2 done in production" in done.out
    serves(world, world.green)
    assert visitors.count("v2") > 50 and tags(world, world.green)["sluice:release"] == "v2"
    site.must("rollback", "--yes", "--reason", "a complaint")
    serves(world, world.blue)
    site.must("rollout", "v2", code=1)  # it was taken back: it needs a new decision
    site.change("v3")
    site.bring("v3", world.green)
    serves(world, world.green)
    visitors.stop()
    assert visitors.lost == [], visitors.lost[:10]
    assert world.bench.unused(site.as_whom, site.policy) == set()
    site.must("verify")


def test_a_release_that_is_there_no_more_is_not_gone_back_to(site, world):
    site.bring("v2", world.green)
    site.bring("v3", world.blue)
    serves(world, world.blue)
    site.must("rollback", "--yes", "--reason", "a complaint")
    serves(world, world.green)
    site.config("incidents:", "rollback: {time_limit: 10s}\nincidents:")
    done = site.run("rollback", "--yes", "--to", site.name(world.blue), "--reason", "the first one")
    assert done.code != 0 and "is marked as holding v3" in done.out + done.err, done
    serves(world, world.green)
    world.clear(world.blue)
    site.deploy(world.blue, "v1")
    world.elb.remove_tags(
        ResourceArns=[world.groups[world.blue]], TagKeys=["sluice:release", "sluice:digest"]
    )
    world.healthy(world.blue, 2)
    site.must("rollback", "--yes", "--to", site.name(world.blue), "--reason", "the first one")
    serves(world, world.blue)


def test_each_step_has_its_share_of_the_requests(site, world, visitors):
    site.target(steps="[5%, 40%, 100%]", bake="4s")
    site.deploy(world.green, "v2")
    site.change("v2")
    rollout = site.start("rollout", "v2")
    try:
        for weights, share in (((950, 50), 0.05), ((600, 400), 0.4)):
            wait_for(lambda: world.weights() == weights, f"the rule has {weights}")
            visitors.since()
            time.sleep(2.5)
            got = visitors.count("v2") / (visitors.count("v1") + visitors.count("v2"))
            assert abs(got - share) < 0.1, got
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 0, (out, err)
    serves(world, world.green)


def test_a_bad_release_is_taken_back_by_the_balancers_own_figures(site, world, visitors):
    site.target(bake="10s", errors=True)
    done = site.bring("v2", world.green, code=1, ERRORS="0.8")
    assert "rolled-back" in done.out and "errors on web" in done.out, done
    serves(world, world.blue)
    visitors.since()
    time.sleep(1)
    assert visitors.count("v2") == 0 and visitors.count("v1") > 50
    site.must("verify")


@pytest.mark.parametrize("moment", ["staging", "shifted"])
def test_a_process_that_is_killed_is_taken_up_by_another(site, world, visitors, bench, moment):
    site.deploy(world.green, "v2", BOOT="2")
    site.change("v2")
    asked = bench.calls("elbv2.DescribeTargetHealth")
    reached = {
        "staging": lambda: bench.calls("elbv2.DescribeTargetHealth") > asked + 4,
        "shifted": lambda: world.weights()[1] >= 500,
    }[moment]
    rollout = site.start("rollout", "v2")
    wait_for(reached, f"it is {moment}")
    rollout.send_signal(signal.SIGKILL)
    rollout.communicate()
    done = site.must("resume")
    assert "v2 done in production" in done.out, done
    serves(world, world.green)
    visitors.stop()
    assert visitors.lost == []
    site.must("verify")


def test_throttling_lost_answers_and_errors_after_the_effect_do_no_harm(site, world, bench, visitors):
    bench.control(faults={
        "elbv2.DescribeRules": [{"refuse": "Throttling", "times": 2}, {"cut": "after"}],
        "elbv2.DescribeTargetHealth": [{"refuse": "Throttling"}, {"cut": "before"}],
        "elbv2.AddTags": [{"cut": "after"}],
        "elbv2.ModifyRule": [
            {"cut": "after"}, {"refuse": "Throttling"},
            {"refuse": "InternalFailure", "status": 500, "after": True},
        ],
    })
    site.bring("v2", world.green)
    serves(world, world.green)
    visitors.stop()
    assert visitors.lost == []


def test_weights_that_somebody_else_moves_are_taken_for_a_failure(site, world):
    site.target(steps="[50%, 100%]", bake="20s")
    site.deploy(world.green, "v2")
    site.change("v2")
    rollout = site.start("rollout", "v2")
    try:
        wait_for(lambda: world.weights()[1] == 500, "half of it is out")
        time.sleep(1)
        world.weigh(80, 20)
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 1 and "on its own" in out, (out, err)
    serves(world, world.blue)


def test_the_default_action_of_a_listener_does_as_well(site, world):
    world.elb.delete_rule(RuleArn=world.rule)
    site.target(place=f'listener: "{world.listener}"', steps="[50%, 100%]")
    site.bring("v2", world.green)
    told = world.elb.describe_listeners(ListenerArns=[world.listener])["Listeners"][0]
    groups = told["DefaultActions"][-1]["ForwardConfig"]["TargetGroups"]
    assert {group["TargetGroupArn"]: group["Weight"] for group in groups} == {
        world.groups[world.blue]: 0, world.groups[world.green]: 100,
    }


def nothing_deployed(site, world, bench):
    return f"group {site.name(world.green)} has 0 targets where 2 must be healthy: deploy the release to it first"


def shared_already(site, world, bench):
    world.weigh(80, 20)
    return "neither of the groups has all of the weight"


def not_in_the_rule(site, world, bench):
    world.elb.modify_rule(RuleArn=world.rule, Actions=[
        {"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": world.groups[world.blue], "Weight": 1},
        ]}},
    ])
    return "name 1 of the two `groups`: add the idle one with weight 0"


def no_permission(site, world, bench):
    bench.fault("elbv2.DescribeTags", refuse="AccessDenied", status=403, times=10**6)
    return "allow it `elasticloadbalancing:DescribeTags`"


@pytest.mark.parametrize("make", [
    nothing_deployed, shared_already, not_in_the_rule, no_permission,
])
def test_it_is_said_in_one_sentence_what_is_missing(site, world, bench, make):
    words = make(site, world, bench)
    site.change("v2")
    before, changes = world.weights(), bench.calls("elbv2.ModifyRule")
    recorded = len(site.events())
    done = site.run("rollout", "v2")
    assert done.code in (1, 2, 3) and words in done.out + done.err, done
    assert (before, changes) == (world.weights(), bench.calls("elbv2.ModifyRule"))
    assert len(site.events()) == recorded


def test_there_is_no_first_deployment(tmp_path, world):
    site = AlbSite(tmp_path / "first", world)
    site.target()
    done = site.bring("v2", world.green, "--first", "web", code=1)
    assert "there is no first deployment" in done.out + done.err, done
    serves(world, world.blue)
