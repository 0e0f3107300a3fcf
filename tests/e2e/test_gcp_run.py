"""Releases on Cloud Run: each is a revision that gets its share of the requests. The bench checks
every request by Google's own documents and balances real requests."""

import time
import urllib.parse

import pytest

from conftest import end
from google_bench import NAMED, PROJECT, page_permissions
from run_site import RunSite, bench, environment, site, visitors  # noqa: F401
from test_prometheus import PROMETHEUS, Prometheus, wait_for

PATCH = "run.projects.locations.services.patch"

PROBE = """\
metrics:
  courses: {source: probe, url: "http://${host}:${port}/courses", every: 1s, requests: 3, max_failures: 1}
"""
ERRORS = """\
env: [PROM_URL]
metrics:
  errors:
    source: prometheus
    url: "${env.PROM_URL}"
    bad: 'sum(increase(haproxy_server_http_responses_total{server="${revision}",code="5xx"}[${window}])) or vector(0)'
    total: 'sum(increase(haproxy_server_http_responses_total{server="${revision}"}[${window}]))'
    every: 3s
    lag: 1s
    max: 5%
analysis: {min_requests: 20, detect: {ratio: 40}}
"""

SERIES = """\
metrics:
  errors:
    source: cloud-monitoring
    project: PROJECT
    bad:   {filter: 'METRIC AND metric.labels.response_code_class = "5xx"', sparse: true}
    total: {filter: 'METRIC'}
    every: 60s
    lag: 2s
    max: 5%
analysis: {min_requests: 20, detect: {ratio: 1000}}
""".replace("PROJECT", PROJECT).replace("METRIC", 'metric.type = "run.googleapis.com/request_count" AND '
                      'resource.labels.revision_name = "${revision}"')


def test_good_releases_go_out_and_come_back_and_lose_no_request(site, bench, visitors):
    site.target(steps="[20%, 100%]")
    done = site.bring("v2")
    assert "v2 done in production" in done.out
    site.serves(site.revision("v2"))
    assert visitors.count(site.revision("v2")) > 20
    template = site.service()["template"]
    assert template["containers"][0]["image"] == f"{site.images}@{site.digest('v2')}"
    assert template["scaling"]["maxInstanceCount"] == 7, "what it is not about stays as it was"
    assert template["annotations"]["sluice/release"] == "v2"
    site.bring("v3")
    site.serves(site.revision("v3"))
    site.must("rollback", "--yes", "--reason", "a complaint")
    site.serves(site.revision("v2"))
    visitors.stop()
    assert visitors.lost == [], visitors.lost[:10]
    site.must("verify")
    left = bench.unused(page_permissions("gcp-run.md"))
    assert left == {"monitoring.timeSeries.list"}, f"the page has more than it needs: {left}"


def test_each_step_has_its_share_in_whole_percents(site, bench, visitors):
    site.target(steps="[0.2%, 30.5%, 100%]", bake="3s")
    rollout = site.begin("v2")
    next_one = site.revision("v2")
    try:
        wait_for(lambda: site.serving() == {site.first: 99, next_one: 1}, "1 % are out")
        assert bench.state(site.name)["servers"][next_one]["weight"] == 1
        wait_for(lambda: site.serving() == {site.first: 69, next_one: 31}, "31 % are out")
        bench.state(site.name)
        visitors.since()
        time.sleep(2)
        got = visitors.count(next_one) / (visitors.count(next_one) + visitors.count(site.first))
        assert abs(got - 0.31) < 0.12, got
        out, err = rollout.communicate(timeout=60)
    finally:
        end(rollout)
    assert rollout.returncode == 0, (out, err)
    site.serves(next_one)


def test_a_bad_release_is_taken_back_by_what_its_own_url_answers(site, bench, visitors):
    site.images = f"127.0.0.1:{bench.port}/bench/bad/app"
    site.target(steps="[10%, 100%]", bake="8s", more=PROBE)
    done = site.bring("v2", code=1)
    assert "rolled-back" in done.out and "courses on search" in done.out, done
    site.serves(site.first)
    assert visitors.count(site.first) > 5 * visitors.count(site.revision("v2"))
    site.must("verify")


@pytest.mark.skipif(not PROMETHEUS, reason="prometheus is not installed")
def test_a_bad_release_is_taken_back_by_the_figures_of_its_revision(
    site, bench, tmp_path, visitors, monkeypatch
):
    state = bench.state(site.name)
    exporter = type("Exporter", (), {"port": urllib.parse.urlsplit(state["metrics"]).port})
    prometheus = Prometheus(tmp_path, exporter)
    monkeypatch.setenv("PROM_URL", prometheus.url)
    try:
        site.images = f"127.0.0.1:{bench.port}/bench/bad/app"
        site.target(steps="[50%, 100%]", bake="12s", more=ERRORS)
        done = site.bring("v2", code=1)
    finally:
        prometheus.stop()
    assert "rolled-back" in done.out and "errors on search" in done.out, done
    site.serves(site.first)


def test_what_is_adopted_is_pinned_and_the_tags_of_others_stay(site, bench):
    site.target(steps="[50%, 100%]")
    preview = {"type": NAMED, "revision": site.first, "tag": "pr-7"}
    site.patch(traffic=[{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}, preview])
    site.bring("v2")
    assert site.serving() == {site.revision("v2"): 100}
    tags = {t["tag"]: t["revision"] for t in site.service()["traffic"] if "tag" in t}
    assert tags == {"pr-7": site.first}
    site.must("rollback", "--yes", "--reason", "a complaint")
    assert site.serving() == {site.first: 100}


def test_without_a_known_good_revision_nothing_is_staged(bench, tmp_path, environment):
    site = RunSite(tmp_path / "site", bench)
    done = site.bring("v2", "--first", "search", code=None)
    assert done.code in (1, 3) and "`sluice adopt`" in done.out + done.err, done
    assert site.wanted() == {(None, None): 100} and site.revisions() == [site.first]


# ---- what is refused before anything is touched -------------------------------------------------


def no_service(site, bench):
    site.config(f"service: {site.name}", "service: nobody")
    return "there is no service nobody in europe-west1 of project bench"


def no_permission(site, bench):
    bench.control(denied=["run.services.update"])
    return "roles/run.developer"


def no_reading(site, bench):
    bench.control(denied=["run.services.get"])
    return "run.services.get"


def several_containers(site, bench):
    containers = [
        {"name": name, "image": f"{site.images}@{site.digest(name)}", **more}
        for name, more in (("app", {"ports": [{"containerPort": 8080}]}), ("proxy", {}))
    ]
    site.patch(template={"containers": containers})
    return "has the containers `app`, `proxy`: name the one"


@pytest.mark.parametrize("broken", [no_service, no_permission, no_reading, several_containers])
def test_what_would_fail_is_said_before_anything_is_touched(site, bench, broken):
    said = broken(site, bench)
    patched = bench.calls(PATCH)
    done = site.bring("v2", code=None)
    assert done.code in (1, 2, 3) and said in done.err, done
    bench.control(denied=[])
    assert site.wanted() == {(None, None): 100} and len(site.revisions()) <= 2
    assert bench.calls(PATCH) - patched <= 1, "tried, without making it"


def test_time_series_of_cloud_run_itself_let_a_good_release_pass_and_take_a_bad_one_back(
    site, bench, visitors
):
    """What Cloud Run counts, as Cloud Monitoring tells it: a minute is the least that it does."""
    site.target(steps="[100%]", bake="80s", more=SERIES)
    wait_for(lambda: visitors.count(site.first) > 600, "there are enough of them", seconds=120)
    done = site.bring("v2")
    assert "v2 done in production" in done.out
    site.serves(site.revision("v2"))
    site.images = f"127.0.0.1:{bench.port}/bench/bad/app"
    site.target(steps="[100%]", bake="80s", more=SERIES)
    done = site.bring("v3", code=1)
    assert "rolled-back" in done.out and "errors on search" in done.out, done
    site.serves(site.revision("v2"))
