"""Rollouts judged by CloudWatch: figures that real requests have driven, published as an agent does,
asked for through a proxy that refuses what AWS would refuse (tests/bench/aws)."""

import json
import subprocess

import pytest

from aws_bench import BENCH, KEYS, REGION, ROLE, AwsBench, Publisher
from conftest import end
from test_prometheus import COURSES, Students, Visitors, wait_for

ERRORS = """\
  courses:
    source: cloudwatch
    namespace: Learn
    dimensions: {Release: "${revision}"}
    bad: {metric: Errors, sparse: true}
    total: Requests
    every: 1s
    lag: 1s"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = AwsBench(tmp_path_factory.mktemp("aws") / "log")
    yield bench
    bench.stop()


@pytest.fixture
def publisher(bench):
    bench.control(faults={})
    publisher = Publisher(bench)
    yield publisher
    publisher.stop()
    bench.control(faults={})


@pytest.fixture
def environment(bench, tmp_path, monkeypatch):
    """Of somebody with keys and nothing else: no profile, no machine that would give any."""
    for name, value in {
        **KEYS,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": bench.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def watched(site, environment):
    site.config(
        COURSES, ERRORS,
        "step_bake: 3s", "step_bake: 8s",
        "    bake: 2s", "    bake: 8s",
    )
    return site


@pytest.fixture
def students(watched, publisher):
    """Enough of them, for long enough, that the short bakes can see what they are to see."""
    watched.config(
        "step_bake: 8s", "step_bake: 12s",
        "    bake: 8s", "    bake: 12s",
        "min_requests: 40", "min_requests: 40, detect: {ratio: 40}",
    )
    students = Students(watched, publisher)
    try:
        wait_for(lambda: publisher.total("v1", errors=True) > 24, "enough was counted", seconds=150)
        yield students
    finally:
        students.stop()


def test_boto3_passes_the_bench_and_what_was_damaged_does_not(bench):
    done = subprocess.run(
        [bench.python, BENCH / "check.py", str(bench.port)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["passed"]["GetMetricData"] == [3]
    assert told["passed"]["GetCallerIdentity"].endswith("assumed-role/release/check")
    assert told["refused"].pop("as it is") == "passed"
    assert len(told["refused"]) == 16 and "passed" not in told["refused"].values(), told


def test_a_good_release_passes_by_the_figures_of_cloudwatch_and_loses_no_request(
    watched, students, publisher, bench
):
    refused, asked = len(bench.refused()), bench.calls("cloudwatch.GetMetricData")
    watched.release("2-search")
    visitors = Visitors(watched)
    try:
        done = watched.must("rollout", "v2", "--wait", "suspend")
    finally:
        visitors.stop()
    assert not visitors.lost and sum(visitors.answered) > 100, (visitors.answered, visitors.lost)
    assert "v2 done in production" in done.out
    assert watched.serving() == {"v2"}
    assert publisher.total("v2") > 200
    assert bench.calls("cloudwatch.GetMetricData") > asked + 8
    assert len(bench.refused()) == refused, bench.refused()
    watched.must("verify")


def test_a_bad_release_is_taken_back_by_the_figures_of_cloudwatch(watched, students):
    watched.release("2-search")
    watched.release("3-recommend")
    done = watched.must("rollout", "v3", code=1)
    assert "rolled-back" in done.out and "courses on web" in done.out, done
    assert watched.serving() == {"v1"}
    watched.must("verify")


def figures_gone(publisher, bench):
    publisher.stop()


def throttled(publisher, bench):
    bench.fault("cloudwatch.GetMetricData", refuse="Throttling", times=10**6)


def broken(publisher, bench):
    bench.fault("cloudwatch.GetMetricData", refuse="InternalFailure", status=500, times=10**6)


def partial(publisher, bench):
    bench.fault(
        "cloudwatch.GetMetricData", replace=["<StatusCode>Complete<", "<StatusCode>PartialData<"],
        times=10**6,
    )


def unreadable(publisher, bench):
    bench.fault(
        "cloudwatch.GetMetricData", replace=["<StatusCode>Complete<", "<StatusCode>InternalError<"],
        times=10**6,
    )


def denied(publisher, bench):
    bench.fault("cloudwatch.GetMetricData", refuse="AccessDenied", status=403, times=10**6)


@pytest.mark.parametrize("lose", [figures_gone, throttled, broken, partial, unreadable, denied])
def test_figures_that_stop_in_the_middle_are_never_a_pass(
    watched, students, publisher, bench, lose
):
    watched.config("min_requests: 40", "min_requests: 40, inconclusive: {extend: 0, then: hold}")
    watched.config("    lag: 1s", "    lag: 1s\n    timeout: 2s")
    watched.name_a_watcher()
    watched.release("2-search")
    rollout = watched.start("rollout", "v2", "--wait", "suspend")
    try:
        wait_for(lambda: publisher.total("v2") > 60, "v2 has answered")
        lose(publisher, bench)
        out, err = rollout.communicate(timeout=120)
    finally:
        end(rollout)
        bench.control(faults={})
    assert rollout.returncode == 1 and "held" in out, (out, err)
    assert watched.serving() == {"v1", "v2"}, "it has not gone on"
    watched.must("rollback", "--yes", "--reason", "nothing can be seen")
    assert watched.serving() == {"v1"}
    watched.must("verify")


def test_keys_that_end_in_the_middle_are_renewed_and_passing_faults_do_no_harm(
    watched, students, publisher, bench, tmp_path, monkeypatch
):
    (tmp_path / "token").write_text("a.web.identity")
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    before = bench.calls("sts.AssumeRoleWithWebIdentity")
    watched.release("2-search")
    rollout = watched.start("rollout", "v2", "--wait", "suspend")
    try:
        wait_for(lambda: publisher.total("v2") > 60, "v2 has answered")
        bench.control(end_granted=True, faults={"cloudwatch.GetMetricData": [
            {"refuse": "Throttling"}, {"cut": "after"}, {"cut": "before"},
            {"refuse": "InternalFailure", "status": 500, "after": True},
        ]})
        out, err = rollout.communicate(timeout=120)
    finally:
        end(rollout)
    assert rollout.returncode == 0 and "v2 done in production" in out, (out, err)
    assert bench.calls("sts.AssumeRoleWithWebIdentity") == before + 2
    assert any(words.startswith("ExpiredToken") for words in bench.refused())
    for secret in ("a.web.identity", *KEYS.values()):
        assert secret not in out + err + json.dumps(watched.events())
    watched.must("verify")


def refusal(watched, *said):
    """`rollout` refuses in one sentence, and nothing was touched or recorded."""
    recorded = len(watched.events())
    done = watched.run("rollout", "v2")
    assert done.code in (1, 2, 3), done
    last = done.err.strip().splitlines()[-1]
    assert "nothing was touched: metric courses: " in last, done
    for words in said:
        assert words in last, done
    assert watched.serving() == {"v1"} and len(watched.events()) == recorded


def test_without_credentials_or_permission_nothing_is_touched(watched, bench, monkeypatch):
    watched.release("2-search")
    bench.fault(
        "cloudwatch.GetMetricData", refuse="AccessDenied", status=403, times=10**6,
        message="not authorized to perform: cloudwatch:GetMetricData",
    )
    refusal(watched, "AccessDenied", "not authorized to perform: cloudwatch:GetMetricData")
    bench.control(faults={})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    refusal(watched, "SignatureDoesNotMatch")
    for name in KEYS:
        monkeypatch.delenv(name)
    refusal(watched, "no AWS credentials")


def test_plan_counts_how_late_the_figures_come(watched, publisher):
    watched.config("    every: 1s\n    lag: 1s", "    every: 10s\n    lag: 30s")
    done = watched.must("plan", code=2)
    assert "metric courses" in done.err and "lag and interval" in done.err, done
