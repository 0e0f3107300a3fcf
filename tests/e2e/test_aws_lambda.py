"""Releases on AWS Lambda: versions behind an alias. The bench runs each version as a process and
shares real invocations by the alias' weights; what is asserted of it at the end comes from the
vendor's own client."""

import base64
import hashlib
import itertools
import signal
import time
import types

import pytest

from aws_bench import ACCOUNT, REGION, AwsBench, page_policy, statement
from aws_worlds import LambdaWorld, archive, manifest
from cloud_site import CloudSite, Visitors
from conftest import end

numbers = itertools.count(1)

ERRORS = """\
metrics:
  errors:
    source: cloudwatch
    namespace: AWS/Lambda
    metric: Errors
    statistic: Average
    dimensions: {{FunctionName: {0}, Resource: "{0}:live", ExecutedVersion: "${{revision}}"}}
    max: 0.2
    max_failures: 1
    every: 1s
    lag: 1s
"""
STAGE = """\
rollout:
  - stage: production
    targets: [thumbs]
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
    meant = (
        "Throttling", "TooManyRequests", "AccessDenied", "ServiceException",
        "ResourceConflictException", "ResourceNotFoundException", "PreconditionFailedException",
        "NoSuchKey",
    )
    assert [words for words in bench.refused()[refused:] if not words.startswith(meant)] == []


@pytest.fixture
def world(bench):
    return LambdaWorld(bench, function=f"thumbs{next(numbers)}")


class LambdaSite(CloudSite):
    """Whose sluice may do what the page says, and nothing else."""

    def __init__(self, folder, world):
        super().__init__(folder)
        self.world = world
        self.policy = page_policy("targets/aws-lambda.md", {
            "function:thumbs": f"function:{world.function}",
            "arn:aws:s3:::learn/*": f"arn:aws:s3:::{world.bucket}/*",
        })
        self.place = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{world.function}"
        self.may()

    def target(self, steps="[50%, 100%]", bake="1s", errors=False, artifact=None):
        world = self.world
        if errors:
            self.may(statement("*", "cloudwatch:GetMetricData"))
        artifact = artifact or f'archive: "s3://{world.bucket}/{world.function}-${{release}}.zip"'
        self.configure(
            f"targets:\n  thumbs: {{kind: aws-lambda, function: {world.function}, alias: live,\n"
            f"           artifact: {{{artifact}}}}}\n"
            + (ERRORS.format(world.function) if errors else "")
            + STAGE.format(steps=steps, bake=bake, metrics="    metrics: [errors]\n" * errors)
        )

    def bring(self, release, *words, code=0, **more):
        self.world.put(release, **more)
        self.change(release)
        done = self.run("rollout", release, *words)
        assert done.code == code, done
        return done


@pytest.fixture
def site(tmp_path, world):
    site = LambdaSite(tmp_path / "site", world)
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


def sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def near(world, **shares):
    told = world.serving()
    return all(abs(told.get(name[1:], 0) - share) < 1e-9 for name, share in shares.items())


def versions(world):
    told = world.client.list_versions_by_function(FunctionName=world.function)["Versions"]
    return [version["Version"] for version in told if version["Version"] != "$LATEST"]


# ---- the way forward ---------------------------------------------------------------------------


def test_good_releases_follow_each_other_and_no_invocation_is_lost(site, world, visitors):
    done = site.bring("v2")
    assert "v2 done in production" in done.out
    assert world.serving() == {"2": 1} and world.sha256("2") == sha256(archive("v2"))
    assert visitors.count("v2") > 30
    site.bring("v3")
    assert world.serving() == {"3": 1}
    site.must("rollback", "--yes", "--reason", "a complaint")
    assert world.serving() == {"2": 1}
    site.must("rollback", "--yes", "--to", "1", "--reason", "an older one")
    assert world.serving() == {"1": 1}
    visitors.stop()
    assert visitors.lost == [], visitors.lost[:10]
    told = world.client.get_function_configuration(FunctionName=world.function, Qualifier="2")
    assert told["Description"] == "v2 (sluice)"
    assert world.bench.unused(site.as_whom, site.policy) == set()
    site.must("verify")


def test_each_step_has_its_share_of_the_invocations(site, world, visitors):
    site.target(steps="[0.5%, 40%, 100%]", bake="3s")
    world.put("v2")
    site.change("v2")
    rollout = site.start("rollout", "v2")
    try:
        wait_for(lambda: near(world, _1=0.995, _2=0.005), "half a per cent")
        wait_for(lambda: near(world, _1=0.6, _2=0.4), "two fifths")
        visitors.since()
        time.sleep(2.5)
        got = visitors.count("v2") / (visitors.count("v1") + visitors.count("v2"))
        assert abs(got - 0.4) < 0.12, got
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 0, (out, err)
    assert world.serving() == {"2": 1}


def test_the_same_code_again_is_no_new_version_and_goes_out_all_the_same(site, world):
    site.bring("v2")
    world.s3.put_object(Bucket=world.bucket, Key=world.key("v3"), Body=archive("v2"))
    site.change("v3")
    done = site.run("rollout", "v3")
    assert done.code == 0 and "has this very code" in done.out + done.err, done
    assert world.serving() == {"2": 1} and versions(world) == ["1", "2"]


def test_a_version_that_something_else_published_can_be_brought_out(site, world):
    body = world.put("v2")
    world.client.update_function_code(
        FunctionName=world.function, S3Bucket=world.bucket, S3Key=world.key("v2")
    )
    world.settled()
    assert world.client.publish_version(FunctionName=world.function)["Version"] == "2"
    site.change("v2")
    site.must("rollout", "v2", "--artifact", "thumbs=2")
    assert world.serving() == {"2": 1}
    digest = hashlib.sha256(body).hexdigest()
    assert f"sha256:{digest}" in str(site.events())


def test_an_archive_is_named_by_digest(site, world):
    body = archive("v2")
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    site.target(artifact=f'archive: "s3://{world.bucket}/{world.function}/${{digest}}.zip"')
    world.s3.put_object(Bucket=world.bucket, Key=f"{world.function}/{digest}.zip", Body=body)
    site.change("v2")
    done = site.run("rollout", "v2")
    assert done.code == 2 and "--artifact thumbs=sha256:" in done.err, done
    site.must("rollout", "v2", "--artifact", f"thumbs={digest}")
    assert world.serving() == {"2": 1} and world.sha256("2") == sha256(body)
    other = f"{world.function}/another.zip"
    world.s3.put_object(Bucket=world.bucket, Key=other, Body=archive("v3"))
    site.change("v3")
    site.must("rollout", "v3", "--artifact", f"thumbs=s3://{world.bucket}/{other}")
    assert world.serving() == {"3": 1}


def test_a_function_made_of_images(tmp_path, bench):
    client, ecr, name = bench.client("lambda"), bench.client("ecr"), f"pictures{next(numbers)}"
    uri = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]

    def push(release):
        return ecr.put_image(
            repositoryName=name, imageTag=release, imageManifest=manifest(release, {})
        )["image"]["imageId"]["imageDigest"]

    client.create_function(
        FunctionName=name, PackageType="Image", Role="arn:aws:iam::123456789012:role/thumbs",
        Code={"ImageUri": f"{uri}@{push('v1')}"},
    )
    wait_for(
        lambda: client.get_function_configuration(FunctionName=name)["State"] == "Active",
        "the function is made",
    )
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    site = LambdaSite(tmp_path / "site", types.SimpleNamespace(function=name, bucket="none", bench=bench))
    site.may(statement([site.place, f"{site.place}:*"], "lambda:GetFunction"))
    site.target(artifact=f'image: "{uri}@${{digest}}"')
    site.must("adopt")
    site.change("v2")
    done = site.run("rollout", "v2", "--artifact", f"thumbs={uri}:v2")
    assert done.code == 2 and "does not name an image by digest" in done.err, done
    digest = push("v2")
    site.must("rollout", "v2", "--artifact", f"thumbs={digest}")
    assert client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "2"
    code = client.get_function(FunctionName=name, Qualifier="2")["Code"]
    assert code["ResolvedImageUri"] == f"{uri}@{digest}"


# ---- the way back ------------------------------------------------------------------------------


def test_a_bad_release_is_taken_back_by_lambdas_own_figures(site, world, visitors):
    site.target(bake="10s", errors=True)
    done = site.bring("v2", code=1, errors=0.6)
    assert "rolled-back" in done.out and "errors on thumbs" in done.out, done
    assert world.serving() == {"1": 1}
    visitors.since()
    time.sleep(1)
    assert visitors.count("v1") > 20 and visitors.count("v2") == 0
    site.must("verify")


@pytest.mark.parametrize("moment", ["updating", "published", "shifted", "promoting"])
def test_a_process_that_is_killed_is_taken_up_by_another(site, world, visitors, bench, moment):
    updates, changes = bench.calls("lambda.UpdateFunctionCode"), bench.calls("lambda.UpdateAlias")
    reached = {
        # the dry run is the first
        "updating": lambda: bench.calls("lambda.UpdateFunctionCode") > updates + 1,
        "published": lambda: versions(world) == ["1", "2"],
        "shifted": lambda: near(world, _2=0.5),
        "promoting": lambda: bench.calls("lambda.UpdateAlias") > changes + 1,
    }[moment]
    world.put("v2")
    site.change("v2")
    rollout = site.start("rollout", "v2")
    wait_for(reached, f"it is {moment}")
    rollout.send_signal(signal.SIGKILL)
    rollout.communicate()
    done = site.must("resume")
    assert "v2 done in production" in done.out, done
    assert world.serving() == {"2": 1} and versions(world) == ["1", "2"]
    visitors.stop()
    assert visitors.lost == []
    site.must("verify")


def test_killed_while_it_stages_it_can_be_taken_back(site, world, bench):
    world.put("v2")
    site.change("v2")
    bench.fault("lambda.PublishVersion", delay=20)
    rollout = site.start("rollout", "v2")
    wait_for(
        lambda: world.client.get_function_configuration(FunctionName=world.function)["CodeSha256"]
        == sha256(archive("v2")), "it has the code",
    )
    rollout.send_signal(signal.SIGKILL)
    rollout.communicate()
    bench.control(faults={})
    site.must("rollback", "--yes", "--reason", "it hung")
    assert world.serving() == {"1": 1}
    site.bring("v3")
    assert world.serving().popitem()[1] == 1 and world.sha256(versions(world)[-1]) == sha256(
        archive("v3")
    )


def test_throttling_lost_answers_and_errors_after_the_effect_do_no_harm(site, world, bench, visitors):
    bench.control(faults={
        "s3.GetObject": [{"refuse": "SlowDown", "status": 503}, {"cut": "after"}],
        "lambda.GetAlias": [{"refuse": "TooManyRequestsException", "status": 429, "times": 2}],
        "lambda.UpdateFunctionCode": [
            {"cut": "before"}, {}, {"cut": "after"},
            {"refuse": "ServiceException", "status": 500, "after": True},
        ],
        "lambda.PublishVersion": [{"cut": "after"}],
        "lambda.UpdateAlias": [
            {"cut": "after"}, {"refuse": "TooManyRequestsException", "status": 429},
            {"refuse": "ServiceException", "status": 500, "after": True},
        ],
    })
    site.bring("v2")
    assert world.serving() == {"2": 1} and versions(world) == ["1", "2"]
    visitors.stop()
    assert visitors.lost == []


def test_an_alias_that_was_changed_in_between_is_read_again(site, world, bench):
    site.target()
    world.put("v2")
    site.change("v2")
    bench.control(faults={
        "lambda.UpdateAlias": [{"refuse": "PreconditionFailedException", "status": 412}],
        "lambda.GetAlias": [{}, {}, {}, {"delay": 3}],
    })
    site.must("rollout", "v2")
    assert world.serving() == {"2": 1}


def test_another_update_of_the_function_is_waited_for(site, world):
    world.put("v2")
    site.change("v2")
    world.client.update_function_configuration(FunctionName=world.function, MemorySize=256)
    done = site.run("rollout", "v2")
    assert done.code == 0, done
    assert world.serving() == {"2": 1}
    told = world.client.get_function_configuration(FunctionName=world.function, Qualifier="2")
    assert told["MemorySize"] == 256 and told["CodeSha256"] == sha256(archive("v2"))


def test_code_that_lambda_does_not_take_gets_no_invocation(site, world, bench, visitors):
    bench.control(update_fails={world.function: "the image layer is broken"})
    done = site.bring("v2", code=1)
    assert "rolled-back" in done.out and "the image layer is broken" in done.out, done
    assert world.serving() == {"1": 1} and versions(world) == ["1"]
    visitors.stop()
    assert visitors.count("v2") == 0 and visitors.lost == []


def test_weights_that_somebody_else_moves_are_taken_for_a_failure(site, world):
    site.target(bake="20s")
    world.put("v2")
    site.change("v2")
    rollout = site.start("rollout", "v2")
    try:
        wait_for(lambda: near(world, _2=0.5), "half of it is out")
        time.sleep(1)
        world.client.update_alias(
            FunctionName=world.function, Name="live", FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
        )
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 1 and "on its own" in out, (out, err)
    assert world.serving() == {"1": 1}


def test_an_archive_that_was_replaced_in_between_is_never_published(site, world, bench):
    """In a bucket without versions."""
    world.s3.create_bucket(
        Bucket=f"flat-{world.function}", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    site.may(statement(f"arn:aws:s3:::flat-{world.function}/*", "s3:GetObject"))
    site.target(artifact=f'archive: "s3://flat-{world.function}/a.zip"')
    place = {"Bucket": f"flat-{world.function}", "Key": "a.zip"}
    world.s3.put_object(**place, Body=archive("v2"))
    site.change("v2")
    updates = bench.calls("lambda.UpdateFunctionCode")
    bench.control(faults={"lambda.GetFunctionConfiguration": [{}, {}, {"delay": 3}]})
    rollout = site.start("rollout", "v2")
    wait_for(lambda: bench.calls("lambda.UpdateFunctionCode") > updates, "it was tried")
    world.s3.put_object(**place, Body=archive("evil"))
    out, err = rollout.communicate(timeout=60)
    assert rollout.returncode == 1 and "was replaced in between" in out, (out, err)
    assert world.serving() == {"1": 1} and versions(world) == ["1"]


def test_a_first_deployment_and_the_way_back_to_nothing(site, world, tmp_path, bench):
    world.client.delete_alias(FunctionName=world.function, Name="live")
    first = statement(site.place, "lambda:CreateAlias", "lambda:DeleteAlias")
    site = LambdaSite(tmp_path / "first", world)
    site.may(first)
    site.target()
    site.bring("v2", "--first", "thumbs")
    assert world.serving() == {"2": 1}
    world.client.delete_alias(FunctionName=world.function, Name="live")
    site = LambdaSite(tmp_path / "another", world)
    site.may(first)
    site.target(bake="10s", errors=True)
    visitors = Visitors(world.url)
    try:
        done = site.bring("v3", "--first", "thumbs", code=1, errors=0.9)
    finally:
        visitors.stop()
    assert "rolled-back" in done.out, done
    told = world.client.list_aliases(FunctionName=world.function)["Aliases"]
    assert told == []


# ---- what is refused before anything is touched -------------------------------------------------


def missing_function(site, world, bench):
    site.config(f"function: {world.function},", f"function: {world.function}-none,")
    return f"there is no function {world.function}-none"


def missing_archive(site, world, bench):
    world.s3.delete_object(Bucket=world.bucket, Key=world.key("v2"))
    return f"reading s3://{world.bucket}/{world.key('v2')}"


def alias_of_latest(site, world, bench):
    world.client.update_alias(
        FunctionName=world.function, Name="live", FunctionVersion="$LATEST"
    )
    return "points at $LATEST"


def shared_already(site, world, bench):
    world.client.update_function_configuration(FunctionName=world.function, MemorySize=256)
    world.settled()
    other = world.client.publish_version(FunctionName=world.function)["Version"]
    world.client.update_alias(
        FunctionName=world.function, Name="live",
        RoutingConfig={"AdditionalVersionWeights": {other: 0.2}},
    )
    return f"shares its requests between versions 1 and {other}"


def no_permission(site, world, bench):
    bench.fault("lambda.GetAlias", refuse="AccessDeniedException", status=403, times=10**6)
    return "allow it `lambda:GetAlias`"


def no_update(site, world, bench):
    bench.fault("lambda.UpdateFunctionCode", refuse="AccessDeniedException", status=403, times=9)
    return "(a dry run)"


def an_image(site, world, bench):
    site.target(artifact=f'image: "127.0.0.1:1/thumbs@sha256:{"0" * 64}"')
    return "is made of a zip archive: name that in `artifact: {archive: …}`"


@pytest.mark.parametrize("make", [
    missing_function, missing_archive, alias_of_latest, shared_already, no_permission, no_update,
    an_image,
])
def test_it_is_said_in_one_sentence_what_is_missing(site, world, bench, make):
    world.put("v2")
    site.as_whom = {}  # it is about functions of which no policy speaks
    words = make(site, world, bench)
    site.change("v2")
    before = world.serving() if make is not no_permission else None, versions(world)
    recorded = len(site.events())
    done = site.run("rollout", "v2")
    bench.control(faults={})
    assert done.code in (1, 2, 3) and words in done.out + done.err, done
    assert before[0] in (None, world.serving()) and before[1] == versions(world)
    assert len(site.events()) == recorded


def test_an_alias_of_latest_is_not_adopted(site, world):
    world.client.update_alias(
        FunctionName=world.function, Name="live", FunctionVersion="$LATEST"
    )
    done = site.run("adopt")
    assert done.code == 1 and "publish a version and point the alias at it" in done.err, done
