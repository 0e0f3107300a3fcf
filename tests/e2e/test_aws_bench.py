"""The bench itself (tests/bench/aws): AWS's own client drives all that is live in it, and what was
damaged on purpose does not pass its contract."""

import base64
import collections
import concurrent.futures
import contextlib
import datetime
import hashlib
import json
import pathlib
import subprocess
import threading
import time
import urllib.error
import urllib.request

import botocore.exceptions
import botocore.session
import pytest

from aws_bench import BENCH, REGION, AlbWorld, AwsBench, EcsWorld, LambdaWorld, archive
from conftest import end

ROLLBACK = "ECS deployment circuit breaker: rolling back to deploymentId"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = AwsBench(tmp_path_factory.mktemp("aws") / "log")
    try:
        yield bench
        assert not bench.ask("/told")["troubles"]
    finally:
        bench.stop()


@pytest.fixture(scope="module")
def web(bench):
    return EcsWorld(bench)


@pytest.fixture(scope="module")
def thumbs(bench):
    return LambdaWorld(bench)


@pytest.fixture(autouse=True)
def calm(bench):
    yield
    bench.control(faults={}, stuck={}, pace={"boot": 3.0})


def visit(url, timeout=20):
    """Status and headers, also of a refusal."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            answer.read()
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        error.read()
        return error.code, error.headers


def visits(url, header, count=300):
    with concurrent.futures.ThreadPoolExecutor(4) as visitors:
        answers = list(visitors.map(visit, [url] * count))
    return collections.Counter((headers[header], status) for status, headers in answers)


@contextlib.contextmanager
def visitors(url):
    """Requests all the time; gives the list of those that were not answered with 200."""
    lost, count, over = [], [], threading.Event()

    def run():
        while not over.wait(0.01):
            status, headers = visit(url)
            count.append(status)
            if status != 200:
                lost.append((status, dict(headers)))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield lost
        assert len(count) > 20
    finally:
        over.set()
        thread.join()


def wait_for(seen, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        told = seen()
        if told:
            return told
        time.sleep(0.1)
    raise AssertionError("it does not come")


@contextlib.contextmanager
def refused(code, status=None):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer
    assert status in (None, answer["ResponseMetadata"]["HTTPStatusCode"]), answer


def figure(bench, namespace, name, dimensions, statistic="Sum"):
    now = datetime.datetime.now(datetime.timezone.utc)
    told = bench.client("cloudwatch").get_metric_data(
        StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=1),
        MetricDataQueries=[{"Id": "a", "MetricStat": {
            "Metric": {
                "Namespace": namespace, "MetricName": name,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            },
            "Period": 60, "Stat": statistic,
        }}],
    )
    return sum(told["MetricDataResults"][0]["Values"])


# ---- ECS and ELB ---------------------------------------------------------------------------------


def test_a_rolling_release_replaces_task_by_task_and_loses_no_request(bench, web):
    definition = web.define(web.push("v2"))
    with visitors(web.url) as lost:
        web.ecs.update_service(cluster="learn", service=web.blue, taskDefinition=definition)
        told = web.service(web.blue)
        assert [d["status"] for d in told["deployments"]] == ["PRIMARY", "ACTIVE"]
        assert told["deployments"][0]["rolloutState"] == "IN_PROGRESS"
        told = web.settled(web.blue)
    assert not lost
    assert told["deployments"][0]["rolloutState"] == "COMPLETED"
    assert told["taskDefinition"] == definition and told["runningCount"] == 2
    assert web.health(web.blue) == ["healthy", "healthy"]
    assert visits(web.url, "X-Release", 20) == {("v2", 200): 20}


def test_the_circuit_breaker_takes_a_crash_loop_back_by_itself(web):
    before = web.service(web.blue)
    definition = web.define(web.push("crash", CRASH="0"))
    with visitors(web.url) as lost:
        web.ecs.update_service(cluster="learn", service=web.blue, taskDefinition=definition)

        def going_back():
            told = web.service(web.blue)["deployments"]
            failed = [d for d in told if d["rolloutState"] == "FAILED"]
            return told[0]["rolloutStateReason"].startswith(ROLLBACK) and (told[0], failed)

        primary, failed = wait_for(going_back)
        after = web.settled(web.blue)
    assert not lost
    assert primary["id"] == before["deployments"][0]["id"]
    assert all(d["taskDefinition"] == definition for d in failed)
    assert after["taskDefinition"] == before["taskDefinition"]
    assert any("deployment failed: tasks failed to start" in e["message"] for e in after["events"])


def test_without_a_breaker_a_crash_loop_goes_on_and_an_absent_image_is_one(bench):
    world = EcsWorld(bench, "plain", count=1, breaker=False)
    definition = world.define("sha256:" + "0" * 64)
    world.ecs.update_service(cluster="learn", service=world.blue, taskDefinition=definition)
    wait_for(lambda: world.service(world.blue)["deployments"][0]["failedTasks"] >= 4)
    assert world.service(world.blue)["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    stopped = world.ecs.list_tasks(
        cluster="learn", serviceName=world.blue, desiredStatus="STOPPED"
    )["taskArns"]
    reasons = world.ecs.describe_tasks(cluster="learn", tasks=stopped[-1:])["tasks"]
    assert reasons[0]["stoppedReason"].startswith("CannotPullContainerError")
    assert visit(world.url)[1]["X-Release"] == "v1"
    world.ecs.delete_service(cluster="learn", service=world.blue, force=True)
    wait_for(lambda: world.service(world.blue)["status"] == "INACTIVE")
    assert visit(world.url)[0] == 503


def test_a_rule_gives_real_requests_by_weight_and_the_figures_are_theirs(bench, web):
    digest = web.push("v3", ERRORS="0.5")
    web.ecs.update_service(
        cluster="learn", service=web.green, taskDefinition=web.define(digest), desiredCount=2
    )
    assert web.settled(web.green)["runningCount"] == 2
    assert web.digest(web.green) == digest
    assert set(visits(web.url, "X-Target-Group", 30)) == {(web.blue, 200)}, "no weight, no request"
    with refused("ValidationError"):
        web.weigh(1000, 0)
    web.weigh(700, 300)
    assert web.weights() == (700, 300)
    told = web.elb.describe_target_groups(TargetGroupArns=[web.groups[web.green]])
    assert told["TargetGroups"][0]["LoadBalancerArns"] == [web.balancer["LoadBalancerArn"]]
    counts = visits(web.url, "X-Target-Group", 400)
    green = counts[web.green, 200] + counts[web.green, 500]
    assert 80 < green < 160 and counts[web.green, 500] > 20, counts
    assert set(counts) == {(web.blue, 200), (web.green, 200), (web.green, 500)}
    dimensions = {
        "TargetGroup": web.groups[web.green].rpartition(":")[2],
        "LoadBalancer": web.balancer["LoadBalancerArn"].partition(":loadbalancer/")[2],
    }
    for name, expected in (("RequestCount", green),
                           ("HTTPCode_Target_5XX_Count", counts[web.green, 500])):
        wait_for(lambda: figure(bench, "AWS/ApplicationELB", name, dimensions) == expected)
    assert 0 < figure(bench, "AWS/ApplicationELB", "TargetResponseTime", dimensions, "Average") < 5
    web.weigh(100, 0)
    assert set(visits(web.url, "X-Target-Group", 30)) == {(web.blue, 200)}
    web.ecs.update_service(cluster="learn", service=web.green, desiredCount=0)
    assert "draining" in wait_for(lambda: "draining" in web.health(web.green) and "draining")
    wait_for(lambda: web.service(web.green)["runningCount"] == 0 and not web.health(web.green))
    assert web.service(web.green)["deployments"][0]["rolloutState"] == "COMPLETED"


def test_a_group_without_targets_is_503_and_one_that_is_sick_is_not_hidden(bench, web):
    web.weigh(0, 1)
    bench.control(pace={"boot": 1.0})
    try:
        assert visit(web.url)[0] == 503
        definition = web.define(web.push("sick", UNHEALTHY="1"))
        web.ecs.update_service(
            cluster="learn", service=web.green, taskDefinition=definition, desiredCount=1
        )
        wait_for(lambda: "unhealthy" in web.health(web.green))
        assert visit(web.url)[1]["X-Release"] == "sick", "all are sick: all of them are asked"
        told = web.elb.describe_target_health(TargetGroupArn=web.groups[web.green])
        whys = [one["TargetHealth"].get("Reason") for one in told["TargetHealthDescriptions"]]
        assert "Target.ResponseCodeMismatch" in whys
        wait_for(lambda: web.service(web.green)["taskDefinition"] != definition, 60)
    finally:
        web.weigh(1, 0)
        web.ecs.update_service(cluster="learn", service=web.green, desiredCount=0)
    web.settled(web.green)


def test_stuck_tasks_and_a_provider_that_goes_back_by_itself(bench, web):
    before = web.service(web.blue)["taskDefinition"]
    bench.control(stuck={web.blue: 1})
    definition = web.define(web.push("v4"))
    web.ecs.update_service(cluster="learn", service=web.blue, taskDefinition=definition)
    wait_for(lambda: web.service(web.blue)["deployments"][0]["runningCount"] == 1)
    time.sleep(1)
    primary = web.service(web.blue)["deployments"][0]
    assert (primary["pendingCount"], primary["rolloutState"]) == (1, "IN_PROGRESS")
    bench.control(stuck={})
    assert web.settled(web.blue)["taskDefinition"] == definition
    bench.control(stray={"service": web.blue})
    wait_for(lambda: web.service(web.blue)["taskDefinition"] == before)
    assert web.settled(web.blue)["deployments"][0]["taskDefinition"] == before


def test_what_ecs_refuses(bench, web):
    ecs = web.ecs
    with refused("ClientException"):
        ecs.update_service(cluster="learn", service=web.blue, taskDefinition="web:9999")
    with refused("ServiceNotFoundException"):
        ecs.update_service(cluster="learn", service="nobody", desiredCount=1)
    with refused("ClusterNotFoundException"):
        ecs.describe_services(cluster="elsewhere", services=["web"])
    told = ecs.describe_services(cluster="learn", services=[web.blue, "nobody"])
    assert [one["reason"] for one in told["failures"]] == ["MISSING"]
    lone = web.make_group("lonely")
    with refused("InvalidParameterException"):
        ecs.create_service(
            cluster="learn", serviceName="lonely", taskDefinition=web.definition, desiredCount=0,
            loadBalancers=[{"targetGroupArn": lone, "containerName": "web", "containerPort": 8080}],
        )
    for _ in range(2):
        ecs.create_service(
            cluster="learn", serviceName="twice", taskDefinition=web.definition, desiredCount=0,
            clientToken="once",
        )
    with refused("InvalidParameterException"):
        ecs.create_service(
            cluster="learn", serviceName="twice", taskDefinition=web.definition, desiredCount=0
        )
    ecs.deregister_task_definition(taskDefinition=web.define(web.first))
    family = ecs.describe_task_definition(taskDefinition=web.name)["taskDefinition"]
    with refused("ClientException"):
        ecs.update_service(
            cluster="learn", service=web.blue,
            taskDefinition=f"{web.name}:{family['revision']}",
        )


def test_instances_that_a_test_starts_itself_are_balanced_too(bench, web):
    apps, places = [], [bench.address(), bench.address()]
    try:
        for number, place in enumerate(places, 1):
            apps.append(subprocess.Popen(
                [bench.python, BENCH / "app.py"], stdin=subprocess.PIPE,
                env={"HOST": place, "PORT": "8080", "RELEASE": f"i{number}"},
            ))
        bench.control(instances=dict(zip(("i-1", "i-2"), places)))
        group = web.elb.create_target_group(
            Name="machines", Protocol="HTTP", Port=8080, VpcId=bench.network["vpc"],
            TargetType="instance", HealthCheckPath="/health",
        )["TargetGroups"][0]["TargetGroupArn"]
        targets = [{"Id": "i-1"}, {"Id": "i-2"}]
        web.elb.register_targets(TargetGroupArn=group, Targets=targets)

        def states():
            told = web.elb.describe_target_health(TargetGroupArn=group)
            return {one["TargetHealth"]["State"] for one in told["TargetHealthDescriptions"]}

        assert states() == {"unused"}, "no rule names the group"
        listener = web.elb.create_listener(
            LoadBalancerArn=web.balancer["LoadBalancerArn"], Protocol="HTTP", Port=8081,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )["Listeners"][0]["ListenerArn"]
        wait_for(lambda: states() == {"healthy"})
        url = bench.listener_url(listener)
        assert visits(url, "X-Release", 20) == {("i1", 200): 10, ("i2", 200): 10}
        end(apps[0])
        wait_for(lambda: states() == {"healthy", "unhealthy"})
        assert visits(url, "X-Release", 10) == {("i2", 200): 10}
        web.elb.deregister_targets(TargetGroupArn=group, Targets=targets)
        assert states() == {"draining"}
        wait_for(lambda: not states())
        web.elb.delete_listener(ListenerArn=listener)
    finally:
        for app in apps:
            end(app)
            app.stdin.close()


def test_machines_of_two_groups_are_weighed(bench):
    world = AlbWorld(bench)
    try:
        world.start(world.green, "v2")
        world.healthy(world.green, 1)
        world.weigh(1, 1)
        assert set(visits(world.url, "X-Release", 40)) == {("v1", 200), ("v2", 200)}
        world.weigh(1, 0)
        assert set(visits(world.url, "X-Release", 20)) == {("v1", 200)}
    finally:
        world.stop()


def children(process):
    """The ids of what it has started."""
    return [
        int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*")
        if (words := status_of(path)) and int(words[1]) == process
    ]


def status_of(path):
    """State and parent's id; None when it is gone."""
    try:
        words = (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] in "ZX" else words


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_nothing_outlives_the_bench(tmp_path, how):
    bench = AwsBench(tmp_path / "log")
    try:
        world, function = EcsWorld(bench), LambdaWorld(bench)
        sleeper = world.define(world.first, command=["/bin/sleep", "1000"])
        world.ecs.create_service(
            cluster="learn", serviceName="sleeper", taskDefinition=sleeper, desiredCount=1
        )
        world.settled("sleeper")
        assert visit(function.url)[0] == 200
        started = children(bench.child.pid)
        assert len(started) == 4, "two tasks, one that sleeps, and a version"
        if how == "killed":
            bench.child.kill()
            bench.child.wait()
    finally:
        bench.stop()
    wait_for(lambda: not any(status_of(pathlib.Path(f"/proc/{one}")) for one in started))


# ---- Lambda --------------------------------------------------------------------------------------


def test_an_alias_gives_real_invocations_by_weight_and_the_figures_are_theirs(bench, thumbs):
    client, name = thumbs.client, {"FunctionName": thumbs.function}
    body = thumbs.put("v2", errors=0.5)
    source = {"S3Bucket": thumbs.bucket, "S3Key": thumbs.key("v2")}
    before = thumbs.settled()
    tried = client.update_function_code(**name, **source, DryRun=True)
    wanted = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert tried["CodeSha256"] == wanted
    assert thumbs.settled()["CodeSha256"] == before["CodeSha256"]
    told = client.update_function_code(**name, **source, RevisionId=before["RevisionId"])
    assert told["LastUpdateStatus"] == "InProgress" and told["CodeSha256"] == wanted
    with refused("ResourceConflictException", 409):
        client.publish_version(**name)
    thumbs.settled()
    with refused("PreconditionFailedException", 412):
        client.update_function_code(**name, **source, RevisionId=before["RevisionId"])
    with refused("InvalidParameterValueException"):
        client.publish_version(**name, CodeSha256="another")
    version = client.publish_version(**name, CodeSha256=wanted)["Version"]
    assert client.publish_version(**name, CodeSha256=wanted)["Version"] == version == "2"
    versions = client.list_versions_by_function(**name)["Versions"]
    assert [one["Version"] for one in versions] == ["$LATEST", "1", "2"]
    place = client.get_function(**name, Qualifier=version)["Code"]["Location"]
    assert fetch(place)[2] == body
    alias = client.get_alias(**name, Name="live")
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    client.update_alias(
        **name, Name="live", RoutingConfig=weights, RevisionId=alias["RevisionId"]
    )
    with refused("PreconditionFailedException", 412):
        client.update_alias(
            **name, Name="live", RoutingConfig=weights, RevisionId=alias["RevisionId"]
        )
    assert thumbs.serving() == {"1": 0.75, "2": 0.25}
    counts = visits(thumbs.url, "X-Executed-Version", 400)
    mine = counts["2", 200] + counts["2", 502]
    assert set(counts) == {("1", 200), ("2", 200), ("2", 502)} and 60 < mine < 140, counts
    dimensions = {"FunctionName": thumbs.function, "Resource": f"{thumbs.function}:live",
                  "ExecutedVersion": "2"}
    for figures, expected in (("Invocations", mine), ("Errors", counts["2", 502])):
        wait_for(lambda: figure(bench, "AWS/Lambda", figures, dimensions) == expected)
    assert figure(bench, "AWS/Lambda", "Duration", dimensions, "Average") > 0
    client.update_alias(**name, Name="live", RoutingConfig={})
    assert thumbs.serving() == {"1": 1}
    assert visits(thumbs.url, "X-Executed-Version", 20) == {("1", 200): 20}


def test_an_archive_of_an_older_version_of_its_object(thumbs):
    first, second = thumbs.put("again"), thumbs.put("again", errors=0.1)
    told = thumbs.s3.list_object_versions(Bucket="learn", Prefix=thumbs.key("again"))
    old = next(one["VersionId"] for one in told["Versions"] if not one["IsLatest"])
    for version, body in ((old, first), (None, second)):
        thumbs.settled()
        told = thumbs.client.update_function_code(
            FunctionName=thumbs.function, S3Bucket="learn", S3Key=thumbs.key("again"),
            **({"S3ObjectVersion": version} if version else {}),
        )
        assert told["CodeSha256"] == base64.b64encode(hashlib.sha256(body).digest()).decode()
    thumbs.settled()


def test_what_lambda_refuses_and_an_update_that_fails(bench, thumbs):
    client, name = thumbs.client, {"FunctionName": thumbs.function}
    for words, code in (
        ({"FunctionVersion": "99"}, "ResourceNotFoundException"),
        ({"FunctionVersion": "$LATEST", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}},
         "InvalidParameterValueException"),
        ({"FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}},
         "InvalidParameterValueException"),
    ):
        with refused(code):
            client.update_alias(**name, Name="live", **words)
    with refused("ResourceNotFoundException", 404):
        client.get_function_configuration(FunctionName="nobody")
    with refused("InvalidParameterValueException"):
        client.update_function_code(**name, S3Bucket="learn", S3Key="absent.zip")
    with refused("InvalidParameterValueException"):
        client.update_function_code(**name, ZipFile=b"no archive")
    before = thumbs.settled()["CodeSha256"]
    bench.control(update_fails={thumbs.function: "the disk is full"})
    client.update_function_code(**name, ZipFile=archive("v9"))
    told = thumbs.settled()
    assert told["LastUpdateStatus"] == "Failed" and told["CodeSha256"] == before
    assert told["LastUpdateStatusReason"] == "the disk is full"


def test_a_function_of_an_image_runs_too(bench, thumbs, web):
    digest = web.push("covers")
    client = thumbs.client
    client.create_function(
        FunctionName="covers", PackageType="Image", Code={"ImageUri": f"{web.uri}@{digest}"},
        Role="arn:aws:iam::123456789012:role/covers", Publish=True,
    )
    told = client.invoke(FunctionName="covers", Qualifier="1", Payload=b"{}")
    assert told["ExecutedVersion"] == "1"
    assert json.load(told["Payload"])["headers"] == {"X-Release": "covers"}
    found = client.get_function(FunctionName="covers")["Code"]["ResolvedImageUri"]
    assert found.endswith(digest)


# ---- S3, ECR and the registry --------------------------------------------------------------------

CONDITIONAL = """\
import sys, boto3, botocore.exceptions
s3 = boto3.client("s3", region_name="eu-west-1", endpoint_url=sys.argv[1],
                  aws_access_key_id="AKIABENCH", aws_secret_access_key="bench/secret+key")
for body in (b"first", b"second"):
    try:
        s3.put_object(Bucket="learn", Key="once/it is", Body=body, IfNoneMatch="*")
        print("written")
    except botocore.exceptions.ClientError as error:
        print(error.response["Error"]["Code"])
print(s3.get_object(Bucket="learn", Key="once/it is")["Body"].read().decode())
"""


def test_an_object_is_written_once(bench, thumbs):
    done = subprocess.run(
        [bench.python, "-c", CONDITIONAL, bench.url], capture_output=True, text=True
    )
    assert done.stdout.split() == ["written", "PreconditionFailed", "first"], done
    head = thumbs.s3.head_object(Bucket="learn", Key="once/it is")
    assert head["ContentLength"] == 5
    with refused("404", 404):
        thumbs.s3.head_object(Bucket="learn", Key="absent")
    with refused("NoSuchKey", 404):
        thumbs.s3.get_object(Bucket="learn", Key="absent")


def fetch(url, password=None, method="GET"):
    headers = {}
    if password:
        headers["Authorization"] = "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()
    request = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_the_registry_gives_the_digest_of_a_tag_to_whoever_has_a_token(bench, web):
    digest = web.push("named")
    granted = web.ecr.get_authorization_token()["authorizationData"][0]
    password = base64.b64decode(granted["authorizationToken"]).decode().partition(":")[2]
    place = f"{bench.url}/v2/{web.repository['repositoryName']}/manifests"
    status, headers, body = fetch(f"{place}/named", password)
    assert (status, headers["Docker-Content-Digest"]) == (200, digest)
    assert "sha256:" + hashlib.sha256(body).hexdigest() == digest
    status, headers, body = fetch(f"{place}/{digest}", password, "HEAD")
    assert (status, headers["Docker-Content-Digest"], body) == (200, digest, b"")
    assert fetch(f"{place}/absent", password)[0] == 404
    status, headers, _ = fetch(f"{place}/named", "wrong")
    assert status == 401 and headers["WWW-Authenticate"].startswith("Basic realm=")
    details = web.ecr.describe_images(
        repositoryName=web.repository["repositoryName"], imageIds=[{"imageTag": "named"}]
    )["imageDetails"][0]
    assert details["imageDigest"] == digest
    bench.control(end_granted=True)
    assert fetch(f"{place}/named", password)[0] == 401, "tokens expire"


# ---- faults --------------------------------------------------------------------------------------


def raw(bench, service):
    """A client that does not try again."""
    client = bench.client(service)
    client.meta.config.retries = {"max_attempts": 0}
    return client


def test_faults_meet_any_operation_before_and_after_its_effect(bench, web, thumbs):
    state = web.weights()
    bench.fault("elbv2.ModifyRule", refuse="Throttling", times=2)
    web.weigh(9, 1)  # the client tries again
    assert web.weights() == (9, 1) and bench.calls("elbv2.ModifyRule")
    web.weigh(*state)
    bench.fault("ecs.UpdateService", refuse="ServerException", status=500, after=True)
    web.ecs.update_service(
        cluster="learn", service=web.green, desiredCount=0, healthCheckGracePeriodSeconds=7
    )
    assert web.service(web.green)["healthCheckGracePeriodSeconds"] == 7
    for fault in ({"cut": "before"}, {"cut": "after"}):
        bench.fault("lambda.UpdateAlias", **fault)
        thumbs.client.update_alias(
            FunctionName=thumbs.function, Name="live", Description=fault["cut"]
        )
        told = thumbs.client.get_alias(FunctionName=thumbs.function, Name="live")
        assert told["Description"] == fault["cut"]
    bench.fault("s3.GetObject", delay=0.5)
    began = time.monotonic()
    thumbs.s3.get_object(Bucket="learn", Key=thumbs.key("v1"))["Body"].read()
    assert time.monotonic() - began > 0.5
    bench.fault("lambda.GetAlias", refuse="ExpiredTokenException", status=403)
    with refused("ExpiredTokenException", 403):
        thumbs.client.get_alias(FunctionName=thumbs.function, Name="live")


def test_granted_keys_expire_in_the_words_of_each_protocol(bench, web):
    role = bench.client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/release", RoleSessionName="check"
    )["Credentials"]
    bench.control(end_granted=True)
    for service, call, code in (
        ("ecs", "list_clusters", "ExpiredTokenException"),
        ("lambda", "list_functions", "ExpiredTokenException"),
        ("elbv2", "describe_load_balancers", "ExpiredToken"),
        ("s3", "list_buckets", "ExpiredToken"),
    ):
        client = botocore.session.get_session().create_client(
            service, region_name=REGION, endpoint_url=bench.url,
            aws_access_key_id=role["AccessKeyId"], aws_secret_access_key=role["SecretAccessKey"],
            aws_session_token=role["SessionToken"],
        )
        with refused(code):
            getattr(client, call)()
