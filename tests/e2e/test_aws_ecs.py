"""Releases on Amazon ECS, on two services that take turns behind a load balancer. The bench runs each
task as a process and balances real requests; what is asserted of it at the end comes from the
vendor's own client."""

import signal
import time

import pytest

from aws_bench import statement
from aws_worlds import EcsWorld
from conftest import end
from ecs_site import (  # noqa: F401
    EcsSite, bench, definitions, environment, numbers, serves, visitors, wait_for, weighted, world,
)


@pytest.fixture
def site(tmp_path, world):
    site = EcsSite(tmp_path / "site", world)
    site.target(weighted)
    site.must("adopt")
    return site


def test_good_releases_take_turns_and_lose_no_request(site, world, visitors, bench):
    second, done = site.bring("v2")
    assert "v2 done in production" in done.out
    serves(world, "v2", world.green, digest=second)
    assert visitors.count("v2") > 100
    third, _ = site.bring("v3")
    serves(world, "v3", world.blue, digest=third)
    site.must("rollback", "--yes", "--reason", "a complaint")
    serves(world, "v2", world.green, digest=second)
    site.must("rollback", "--yes", "--to", f"{world.name}:1", "--reason", "an older one")
    serves(world, "v1", world.blue, digest=world.first)
    visitors.stop()
    assert visitors.lost == [], visitors.lost[:10]
    # Behind the registry's own API, and with `listener` in place of `listener_rule`.
    registry = {"ecr:BatchGetImage"}
    assert bench.unused(site.as_whom, site.policy) == registry | {"elasticloadbalancing:DescribeListeners"}
    site.must("verify")


def test_the_default_action_of_a_listener_has_weights_too(site, world):
    def by_listener(world):
        return f'services: [{world.blue}, {world.green}], listener: "{world.listener}"'

    def weights():
        told = world.elb.describe_listeners(ListenerArns=[world.listener])["Listeners"][0]
        groups = told["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        return [group["Weight"] for group in groups]

    site.may(statement(world.listener, "elasticloadbalancing:ModifyListener"))
    site.target(by_listener, steps="[20%, 100%]", bake="2s")
    digest = world.push("v2")
    site.change("v2")
    rollout = site.start("rollout", "v2", "--artifact", f"web={digest}")
    try:
        wait_for(lambda: weights() == [800, 200], "a fifth is out")
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 0 and weights() == [0, 100], (out, err)


def test_each_step_has_its_share_of_the_requests(site, world, visitors):
    site.target(weighted, steps="[5%, 40%, 100%]", bake="3s")
    digest = world.push("v2")
    site.change("v2")
    rollout = site.start("rollout", "v2", "--artifact", f"web={digest}")
    try:
        for weights, share in (((950, 50), 0.05), ((600, 400), 0.4)):
            wait_for(lambda: world.weights() == weights, f"the rule has {weights}")
            visitors.since()
            time.sleep(2)
            got = visitors.count("v2") / (visitors.count("v1") + visitors.count("v2"))
            assert abs(got - share) < 0.1, got
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 0, (out, err)
    serves(world, "v2", world.green)


def test_a_bad_release_is_taken_back_by_the_balancers_own_figures(site, world, visitors):
    site.target(weighted, steps="[50%, 100%]", bake="10s", timed=True)
    _, done = site.bring("v2", code=1, DELAY="0.7")
    assert "rolled-back" in done.out and "time on web" in done.out, done
    serves(world, "v1", world.blue, digest=world.first)
    visitors.since()
    time.sleep(1)
    assert visitors.count("v2") == 0 and visitors.count("v1") > 50
    site.must("verify")


@pytest.mark.parametrize("moment", ["staging", "shifted", "promoting"])
def test_a_process_that_is_killed_is_taken_up_by_another(site, world, visitors, bench, moment):
    digest = world.push("v2")
    site.change("v2")
    updates = bench.calls("ecs.UpdateService")
    reached = {
        "staging": lambda: bench.calls("ecs.UpdateService") > updates,
        "shifted": lambda: world.weights()[1] >= 500,
        "promoting": lambda: world.service(world.blue)["desiredCount"] == 0,
    }[moment]
    rollout = site.start("rollout", "v2", "--artifact", f"web={digest}")
    wait_for(reached, f"it is {moment}")
    rollout.send_signal(signal.SIGKILL)
    rollout.communicate()
    done = site.must("resume")
    assert "v2 done in production" in done.out, done
    serves(world, "v2", world.green, digest=digest)
    assert len(definitions(world)) == 2
    visitors.stop()
    assert visitors.lost == []
    site.must("verify")


def test_killed_before_its_definition_is_recorded_it_makes_no_second_one(site, world, bench):
    digest = world.push("v2")
    site.change("v2")
    bench.fault("ecs.UpdateService", delay=20)
    rollout = site.start("rollout", "v2", "--artifact", f"web={digest}")
    wait_for(lambda: len(definitions(world)) == 2, "it is registered")
    rollout.send_signal(signal.SIGKILL)
    rollout.communicate()
    bench.control(faults={})
    site.must("rollback", "--yes", "--reason", "it hung")
    serves(world, "v1", world.blue, digest=world.first)


def test_throttling_lost_answers_and_errors_after_the_effect_do_no_harm(site, world, bench, visitors):
    bench.control(faults={
        "ecs.DescribeServices": [{"refuse": "ThrottlingException", "times": 2}, {"cut": "after"}],
        "ecs.RegisterTaskDefinition": [{"cut": "after"}],
        "ecs.UpdateService": [
            {"refuse": "ServerException", "status": 500, "after": True}, {"cut": "before"},
        ],
        "elbv2.ModifyRule": [{"cut": "after"}, {"refuse": "Throttling"}],
        "elbv2.DescribeTargetHealth": [{"refuse": "Throttling"}],
    })
    digest, _ = site.bring("v2")
    serves(world, "v2", world.green, digest=digest)
    assert len(definitions(world)) == 2, "the lost answer made no second one"
    visitors.stop()
    assert visitors.lost == []


def test_a_release_whose_tasks_do_not_start_never_gets_a_request(site, world, visitors):
    _, done = site.bring("v2", code=1, CRASH="0")
    back = f"did not stay on {world.name}:2 and went back to {world.name}:1: ECS deployment"
    assert "rolled-back" in done.out and back in done.out, done
    serves(world, "v1", world.blue, digest=world.first)
    visitors.stop()
    assert visitors.count("v2") == 0 and visitors.lost == []


def test_what_scaling_did_meanwhile_stays(site, world):
    site.target(weighted, steps="[50%, 100%]", bake="2s")
    digest = world.push("v2")
    site.change("v2")
    rollout = site.start("rollout", "v2", "--artifact", f"web={digest}")
    try:
        wait_for(lambda: world.weights()[1] == 500, "half of it is out")
        world.ecs.update_service(cluster=world.cluster, service=world.green, desiredCount=4)
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 0, (out, err)
    serves(world, "v2", world.green, count=4, digest=digest)
    site.must("rollback", "--yes", "--reason", "a complaint")
    serves(world, "v1", world.blue, count=4, digest=world.first)


def test_weights_that_somebody_else_moves_are_taken_for_a_failure(site, world):
    site.target(weighted, steps="[50%, 100%]", bake="20s")
    digest = world.push("v2")
    site.change("v2")
    rollout = site.start("rollout", "v2", "--artifact", f"web={digest}")
    try:
        wait_for(lambda: world.weights()[1] == 500, "half of it is out")
        time.sleep(1)
        world.weigh(80, 20)
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 1 and "on its own" in out, (out, err)
    serves(world, "v1", world.blue, digest=world.first)


def test_a_first_deployment_and_the_way_back_to_nothing(tmp_path, bench):
    world = EcsWorld(bench, name=f"web{next(numbers)}", count=0)
    site = EcsSite(tmp_path / "site", world)
    site.target(weighted, steps="[100%]")
    digest, _ = site.bring("v2", "--first", "web")
    told = world.settled(world.green)
    assert (told["desiredCount"], world.digest(world.green)) == (1, digest)
    assert world.weights() == (0, 100)
    world.weigh(100, 0)
    world.ecs.update_service(cluster=world.cluster, service=world.green, desiredCount=0)
    site = EcsSite(tmp_path / "another", world)
    site.target(weighted, steps="[100%]")
    _, done = site.bring("v3", "--first", "web", code=1, CRASH="0")
    assert "rolled-back" in done.out, done
    assert world.weights() == (100, 0)
    assert world.service(world.green)["desiredCount"] == 0


# ---- what is refused before anything is touched -------------------------------------------------


def missing_service(site, world, bench):
    site.config(world.green, f"{world.green}-none")
    return f"service {world.green}-none is not in cluster learn"


def both_have_requests(site, world, bench):
    world.weigh(90, 10)
    return "both services get requests"


def no_such_container(site, world, bench):
    site.config("container: web", "container: django")
    return "has no container `django`; `container` may be `web`"


def no_permission(site, world, bench):
    bench.fault("elbv2.DescribeTargetHealth", refuse="AccessDenied", status=403, times=10**6)
    return "allow it `elasticloadbalancing:DescribeTargetHealth`"


def no_tasks(site, world, bench):
    world.ecs.update_service(cluster=world.cluster, service=world.blue, desiredCount=0)
    world.settled(world.blue)
    return f"service {world.blue} has no tasks, and all requests"


def another_group(site, world, bench):
    world.elb.modify_rule(RuleArn=world.rule, Actions=[
        {"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": world.groups[world.blue], "Weight": 1}
        ]}}
    ])
    return f"service {world.green} has no target group that the rule forwards to"


def deployed_by_hand(site, world, bench):
    """Also what nobody recorded is not overwritten."""
    world.ecs.update_service(
        cluster=world.cluster, service=world.blue, taskDefinition=world.define(world.first)
    )
    world.settled(world.blue)
    return "somebody else changed it"


@pytest.mark.parametrize("make", [
    missing_service, both_have_requests, no_such_container, no_permission, another_group,
    deployed_by_hand, no_tasks,
])
def test_it_is_said_in_one_sentence_what_is_missing(site, world, bench, make):
    words = make(site, world, bench)
    digest = world.push("v2")
    site.change("v2")
    before = world.weights(), bench.calls("ecs.UpdateService"), bench.calls("elbv2.ModifyRule")
    done = site.run("rollout", "v2", "--artifact", f"web={digest}")
    assert done.code in (1, 2, 3) and words in done.out + done.err, done
    assert before == (
        world.weights(), bench.calls("ecs.UpdateService"), bench.calls("elbv2.ModifyRule")
    )
    assert "nothing was touched" in done.err, done
