"""Rollouts judged by Cloud Monitoring: PromQL that a real Prometheus answers behind the bench of
Google Cloud (tests/bench/google), which refuses what Google would refuse, and time series."""

import pytest

from google_bench import PROJECT, GoogleBench
from test_prometheus import (  # noqa: F401: exporter and prometheus are fixtures
    COURSES, PROMETHEUS, Students, Visitors, exporter, prometheus, wait_for,
)

pytestmark = pytest.mark.skipif(not PROMETHEUS, reason="prometheus is not installed")

QUERY = "monitoring.projects.location.prometheus.api.v1.query"
ERRORS = f"""\
  courses:
    source: cloud-monitoring
    project: {PROJECT}
    every: 3s
    lag: 1s
    bad:   'sum(increase(requests_total{{code!="200", rev="${{revision}}"}}[${{window}}])) or vector(0)'
    total: 'sum(increase(requests_total{{rev="${{revision}}"}}[${{window}}]))'"""
SERIES = f"""\
  courses:
    source: cloud-monitoring
    project: {PROJECT}
    filter: 'metric.type = "run.googleapis.com/request_count" AND
      resource.labels.revision_name = "${{revision}}"'
    aligner: ALIGN_DELTA
    reducer: REDUCE_SUM
    lag: 1s
    max: 5"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = GoogleBench(tmp_path_factory.mktemp("google") / "log")
    yield bench
    bench.stop()


@pytest.fixture
def watched(site, bench, prometheus, tmp_path, monkeypatch):  # noqa: F811
    for name, value in bench.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    bench.control(reset=True)
    bench.settings(prometheus_url=prometheus.url)
    site.config(
        COURSES, ERRORS,
        "step_bake: 3s", "step_bake: 12s",
        "    bake: 2s", "    bake: 12s",
        "min_requests: 40", "min_requests: 40, detect: {ratio: 40}",
    )
    return site


@pytest.fixture
def students(watched, exporter, prometheus):  # noqa: F811
    students = Students(watched, exporter)
    try:
        bad = 'sum(increase(requests_total{rev="v1", code!="200"}[1m]))'
        wait_for(lambda: (prometheus.ask(bad) or 0) > 24, "enough was counted", seconds=150)
        yield students
    finally:
        students.stop()


def test_a_good_release_passes_by_promql_though_a_quota_runs_out(watched, students, bench):
    asked = bench.calls(QUERY)
    bench.fault(QUERY, refuse="RESOURCE_EXHAUSTED", status=429, times=3)
    watched.release("2-search")
    visitors = Visitors(watched)
    try:
        done = watched.must("rollout", "v2", "--wait", "suspend")
    finally:
        visitors.stop()
    assert not visitors.lost and sum(visitors.answered) > 100, (visitors.answered, visitors.lost)
    assert "v2 done in production" in done.out
    assert watched.serving() == {"v2"}
    assert bench.calls(QUERY) > asked + 8
    assert all("RESOURCE_EXHAUSTED" in words for words in bench.refused()), bench.refused()
    watched.must("verify")


def test_a_bad_release_is_taken_back_by_promql(watched, students):
    watched.release("2-search")
    watched.release("3-recommend")
    done = watched.must("rollout", "v3", code=1)
    assert "rolled-back" in done.out and "courses on web" in done.out, done
    assert watched.serving() == {"v1"}
    watched.must("verify")


@pytest.mark.parametrize("series", [False, True])
def test_without_permission_nothing_is_touched(watched, bench, series):
    if series:
        watched.config(ERRORS, SERIES, "step_bake: 12s", "step_bake: 70s",
                       "    bake: 12s", "    bake: 70s")
    watched.release("2-search")
    recorded = len(watched.events())
    bench.control(denied=["monitoring.timeSeries.list"])
    done = watched.run("rollout", "v2")
    assert done.code in (1, 2, 3), done
    last = done.err.strip().splitlines()[-1]
    assert "nothing was touched: metric courses: " in last, done
    assert "monitoring.timeSeries.list" in last, done
    assert watched.serving() == {"v1"} and len(watched.events()) == recorded


def test_time_series_are_asked_as_google_has_it(watched, bench):
    """Every request is checked by Google's own documents: one that they do not know is refused."""
    watched.config(ERRORS, SERIES, "step_bake: 12s", "step_bake: 70s",
                   "    bake: 12s", "    bake: 70s")
    before = bench.calls("monitoring.projects.timeSeries.list")
    done = watched.must("doctor")
    assert "ok       metric courses: cloud-monitoring answers" in done.out, done
    assert bench.calls("monitoring.projects.timeSeries.list") > before
    assert bench.refused() == []
