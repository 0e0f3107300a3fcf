"""The Google bench itself (tests/bench/google): Google's own clients pass it, damaged requests do
not, and what it serves, counts and takes its time for is real."""

import base64
import contextlib
import http.client
import json
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from conftest import end
from google_bench import BENCH, COMPUTE, NAMED, RUN, TOKEN, ZONE, GoogleBench, Refusal
from scene import free_ports
from test_prometheus import wait_for

PROMETHEUS = shutil.which("prometheus", path="/usr/bin:/usr/local/bin")
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
needs_haproxy = pytest.mark.skipif(not HAPROXY, reason="haproxy is not installed")
PATCH = "run.projects.locations.services.patch"
IMAGE = "europe-west1-docker.pkg.dev/bench/learn/app"


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    bench = GoogleBench(tmp_path_factory.mktemp("google") / "log")
    yield bench
    bench.stop()


@pytest.fixture
def bench(process):
    process.control(reset=True, settings={"converge_seconds": 0.2})
    return process


def target(revision, percent, **more):
    return {"type": NAMED, "revision": revision, "percent": percent, **more}


def shift(bench, *traffic, mask="traffic", **more):
    body = {"traffic": list(traffic), **more}
    return bench.api("PATCH", f"{RUN}/services/learn?updateMask={mask}", body)


def stage(bench, image, revision="learn-two"):
    """A second revision without traffic beside the first; the first's name."""
    good = bench.service("learn")["latestReadyRevision"].rpartition("/")[2]
    template = {"revision": revision, "containers": [{"image": image}]}
    staged = target(revision, 0, tag="next")
    both = "template,traffic"
    bench.finish(shift(bench, target(good, 100), staged, mask=both, template=template))
    return good


class Visitors:
    """Ask all the while; who answered, and how."""

    def __init__(self, url, threads=2):
        self.port = int(url.rpartition(":")[2])
        self.answers, self.lost, self.over = [], [], threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.over.wait(0.005):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                who = answer.getheader("X-Revision")
                (self.answers if who else self.lost).append((who, answer.status))
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(error)
            finally:
                connection.close()

    def count(self, revision, status=None):
        return sum(w == revision and status in (None, s) for w, s in list(self.answers))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


@contextlib.contextmanager
def visitors_of(bench, name):
    visitors = Visitors(bench.state(name)["url"])
    try:
        yield visitors
    finally:
        visitors.stop()


@contextlib.contextmanager
def prometheus(folder, target):
    (port,) = free_ports(1)
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({
        "global": {"scrape_interval": "500ms", "scrape_timeout": "400ms"},
        "scrape_configs": [{"job_name": "site", "static_configs": [{"targets": [target]}]}],
    }))
    child = subprocess.Popen(
        [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        end(child)


# ---- the contract --------------------------------------------------------------------------------


def test_googles_clients_pass_the_bench_and_what_was_damaged_does_not(bench):
    done = subprocess.run(
        [bench.python, BENCH / "check.py", str(bench.port)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["passed"] == {
        "run": {"shares": [90, 10], "stale": "conflict", "generations": [3, 3], "revisions": 2,
                "state": "CONDITION_SUCCEEDED"},
        "compute": {"operation": "DONE", "stable at once": False, "stale": 412,
                    "templates": ["check-1", "check-2"]},
        "storage": {"read": True, "size": True, "again": 412, "metadata": {"release": "v1"}},
        "monitoring": ["11", "11"],
        "identities": dict.fromkeys(
            ("service account", "user", "federated", "impersonated"), 200
        ),
    }
    assert told["refused"].pop("as it is") == 200
    assert len(told["refused"]) == 48
    assert set(told["refused"].values()) <= {400, 401, 404, 405}, told["refused"]
    assert not [words for words in bench.refused() if "the bench itself" in words]


def test_the_environment_names_every_api_and_a_file_of_each_kind(bench, tmp_path):
    for kind in ("authorized_user", "service_account", "external_account"):
        environment = bench.environment(tmp_path, kind)
        with open(environment["GOOGLE_APPLICATION_CREDENTIALS"]) as file:
            assert json.load(file)["type"] == kind
        assert environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN"] == f"{bench.url}/run"
    environment = bench.environment(tmp_path, "runner")
    url, audience = environment["ACTIONS_ID_TOKEN_REQUEST_URL"], "https://iam.googleapis.com/x"
    bearer = f"Bearer {environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"
    status, _, body = ask(f"{url}&audience={audience}", "GET", Authorization=bearer)
    claims = json.loads(body)["value"].split(".")[1]
    assert status == 200 and audience in base64.urlsafe_b64decode(claims + "==").decode()
    host = bench.environment(tmp_path, "metadata")["GCE_METADATA_HOST"]
    url = f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token"
    assert ask(url, "GET")[0] == 403
    status, headers, body = ask(url, "GET", **{"Metadata-Flavor": "Google"})
    assert (status, headers["Metadata-Flavor"]) == (200, "Google")
    assert bench.api("POST", f"{RUN}/services/none:testIamPermissions", {"permissions": ["a.b.c"]},
                     token=json.loads(body)["access_token"])


# ---- faults --------------------------------------------------------------------------------------


def test_faults_come_before_or_after_the_effect(bench):
    bench.create_service("learn", f"{IMAGE}:v1")
    good = stage(bench, f"{IMAGE}:v2")
    before = bench.calls(PATCH)
    bench.fault(PATCH, refuse="RESOURCE_EXHAUSTED", status=429, headers={"Retry-After": "1"})
    with pytest.raises(Refusal, match="429.*RESOURCE_EXHAUSTED"):
        shift(bench, target("learn-two", 100))
    assert bench.calls(PATCH) == before
    bench.fault(PATCH, cut="before")
    with pytest.raises((OSError, http.client.HTTPException)):
        shift(bench, target("learn-two", 100))
    assert bench.calls(PATCH) == before and bench.serving("learn") == {good: 100}
    for fault in ({"cut": "after"}, {"refuse": "INTERNAL", "status": 500, "after": True}):
        bench.fault(PATCH, **fault)
        with pytest.raises((OSError, http.client.HTTPException, Refusal)):
            shift(bench, target("learn-two", 50 if "cut" in fault else 100), target(
                good, 50 if "cut" in fault else 0))
    assert bench.calls(PATCH) == before + 2
    wait_for(lambda: bench.serving("learn") == {"learn-two": 100}, "it had its effect")
    bench.fault(PATCH, replace=["operations", "operatons"], delay=0.2)
    assert "/operatons/" in shift(bench, target(good, 100))["name"]


def token_of(bench):
    words = {"grant_type": "refresh_token", "refresh_token": "1//refresh",
             "client_id": "bench.apps.googleusercontent.com", "client_secret": "client-secret"}
    data = urllib.parse.urlencode(words).encode()
    with urllib.request.urlopen(f"{bench.url}/oauth2/token", data, timeout=30) as answer:
        return json.load(answer)["access_token"]


def test_tokens_end_and_permissions_are_taken_away(bench):
    bench.create_service("learn", f"{IMAGE}:v1")
    token = token_of(bench)
    assert bench.api("GET", f"{RUN}/services/learn", token=token)
    bench.control(end_granted=True, denied=["run.services.update"])
    with pytest.raises(Refusal, match="401.*UNAUTHENTICATED"):
        bench.api("GET", f"{RUN}/services/learn", token=token)
    with pytest.raises(Refusal, match="403.*run.services.update"):
        shift(bench, target("learn-two", 100))
    asked = {"permissions": ["run.services.get", "run.services.update"]}
    told = bench.api("POST", f"{RUN}/services/learn:testIamPermissions", asked)
    assert told == {"permissions": ["run.services.get"]}


# ---- Cloud Run -----------------------------------------------------------------------------------


def test_what_is_wanted_and_what_is_served_differ_until_it_has_settled(bench):
    bench.create_service("learn", f"{IMAGE}:v1")
    good = stage(bench, f"{IMAGE}:v2")
    bench.settings(converge_seconds=1.2, converge_steps=3)
    shift(bench, target("learn-two", 90), target(good, 10))
    service = bench.service("learn")
    assert service["traffic"] != service["trafficStatuses"] and service["reconciling"]
    assert int(service["observedGeneration"]) == int(service["generation"]) - 1
    assert bench.serving("learn") == {good: 100}
    wait_for(lambda: bench.serving("learn") == {"learn-two": 30, good: 70}, "a third is there")
    wait_for(lambda: bench.serving("learn") == {"learn-two": 90, good: 10}, "all is there")
    wait_for(lambda: "reconciling" not in bench.service("learn"), "it has settled")
    service = bench.service("learn")
    assert service["observedGeneration"] == service["generation"]


def test_a_revision_that_does_not_start_leaves_what_was_served(bench):
    bench.create_service("learn", f"{IMAGE}:v1")
    good = stage(bench, f"{IMAGE}:v2")
    bench.settings(bad_images=["broken"])
    template = {"containers": [{"image": f"{IMAGE}:broken"}]}
    with pytest.raises(AssertionError, match="is not ready and cannot serve traffic"):
        bench.finish(shift(bench, target("learn-two", 100), mask="template,traffic",
                           template=template))
    service = bench.service("learn")
    assert service["terminalCondition"]["state"] == "CONDITION_FAILED"
    assert service["traffic"][0]["revision"] == "learn-two"
    assert bench.serving("learn") == {good: 100}
    assert service["observedGeneration"] != service["generation"]
    bench.finish(shift(bench, target(good, 100)))
    assert bench.service("learn")["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"


def test_cloud_run_goes_back_by_itself(bench):
    bench.create_service("learn", f"{IMAGE}:v1")
    good = stage(bench, f"{IMAGE}:v2")
    bench.settings(strays={"learn": {"revision": "two", "after": 0.3}})
    bench.finish(shift(bench, target("learn-two", 50), target(good, 50)))
    assert bench.serving("learn") == {"learn-two": 50, good: 50}
    wait_for(lambda: bench.serving("learn") == {good: 100}, "it went back")
    service = bench.service("learn")
    assert service["terminalCondition"]["state"] == "CONDITION_FAILED"
    assert service["traffic"][0]["percent"] == 50


@needs_haproxy
def test_traffic_follows_the_shares_and_none_is_lost(bench, tmp_path):
    bench.settings(serve=["learn"])
    bench.create_service("learn", f"{IMAGE}:v1")
    good = stage(bench, f"{IMAGE}:bad-v2")
    tagged = bench.service("learn")["trafficStatuses"][1]["uri"]
    with urllib.request.urlopen(f"{tagged}/health", timeout=5) as answer:
        assert answer.headers["X-Revision"] == "learn-two"
    with visitors_of(bench, "learn") as visitors:
        wait_for(lambda: visitors.count(good) > 50, "the good one answers")
        assert not visitors.count("learn-two")
        bench.finish(shift(bench, target("learn-two", 40), target(good, 60)))
        bench.state("learn")
        first = len(visitors.answers)
        wait_for(lambda: len(visitors.answers) > first + 300, "there was traffic")
        share = sum(w == "learn-two" for w, _ in visitors.answers[first:]) / (
            len(visitors.answers) - first
        )
        bench.finish(shift(bench, target(good, 100)))
        bench.state("learn")
        last = len(visitors.answers) + 4  # those that were on their way
        wait_for(lambda: len(visitors.answers) > last + 50, "there was traffic")
    assert not visitors.lost, visitors.lost[:3]
    assert 0.25 < share < 0.55, share
    assert {who for who, _ in visitors.answers[last:]} == {good}
    assert not visitors.count(good, 500)
    bad = visitors.count("learn-two", 500)
    assert abs(bad - visitors.count("learn-two") / 3) <= 2
    wait_for(lambda: counted(bench)["learn-two"] == bad, "Cloud Monitoring has counted them")


def counted(bench):
    """Answers with 5xx, by revision, as Cloud Monitoring tells them."""
    now = time.time() + 1
    words = {
        "filter": 'metric.type = "run.googleapis.com/request_count" AND '
        'metric.labels.response_code_class = "5xx"',
        "interval.startTime": moment(now - 30), "interval.endTime": moment(now),
        "aggregation.alignmentPeriod": "60s", "aggregation.perSeriesAligner": "ALIGN_DELTA",
        "aggregation.crossSeriesReducer": "REDUCE_SUM",
        "aggregation.groupByFields": "resource.labels.revision_name",
    }
    path = "/monitoring/v3/projects/bench/timeSeries"
    told = bench.api("GET", f"{path}?{urllib.parse.urlencode(words)}")
    counts = {"learn-two": 0}
    for series in told.get("timeSeries", []):
        value = series["points"][0]["value"]["int64Value"]
        counts[series["resource"]["labels"]["revision_name"]] = int(value)
    return counts


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@needs_haproxy
@pytest.mark.skipif(not PROMETHEUS, reason="prometheus is not installed")
def test_promql_is_answered_by_a_real_prometheus(bench, tmp_path):
    path = "/monitoring/v1/projects/bench/location/global/prometheus/api/v1/query"
    with pytest.raises(Refusal, match="503.*UNAVAILABLE"):
        bench.api("POST", path, {"query": "up"})
    bench.settings(serve=["learn"])
    bench.create_service("learn", f"{IMAGE}:bad-v1")
    state = bench.state("learn")
    (name,) = state["servers"]
    where = state["metrics"].removeprefix("http://").removesuffix("/metrics")
    query = f'sum(haproxy_server_http_responses_total{{server="{name}",code="5xx"}})'
    with prometheus(tmp_path, where) as url, visitors_of(bench, "learn") as visitors:
        bench.settings(prometheus_url=url)

        def errors():
            try:
                told = bench.api("POST", path, {"query": query})
            except Refusal:
                return 0
            result = told["data"]["result"]
            return float(result[0]["value"][1]) if result else 0

        wait_for(lambda: errors() > 20, "Prometheus has counted")
        assert errors() <= visitors.count(name, 500) + 1
    with pytest.raises(Refusal, match="503.*UNAVAILABLE"):
        bench.api("POST", path, {"query": "up"})


# ---- managed instance groups ---------------------------------------------------------------------


def version(template, **more):
    return {"instanceTemplate": f"global/instanceTemplates/{template}", **more}


@needs_haproxy
def test_a_group_replaces_its_instances_one_by_one_and_loses_no_request(bench):
    bench.settings(serve=["web"], operation_seconds=0.1)
    for name in ("web-v1", "web-v2"):
        bench.create_template(name, f"global/images/{name}")
    bench.create_group("web", "web-v1", 3)
    with visitors_of(bench, "web") as visitors:
        bench.patch_group("web", versions=[
            version("web-v1"), version("web-v2", targetSize={"fixed": 1}),
        ])
        status = bench.group("web")["status"]
        assert not status["isStable"], "the operation is done, the group is not"
        group = bench.stable("web")
        assert bench.instances("web") == {"web-v1": 2, "web-v2": 1}
        assert [v["targetSize"]["calculated"] for v in group["versions"]] == [2, 1]
        bench.state("web")
        wait_for(lambda: visitors.count("web-v2") > 20, "the new one answers")
        bench.patch_group("web", versions=[version("web-v2")])
        bench.stable("web")
        bench.state("web")
    assert bench.instances("web") == {"web-v2": 3}
    assert not visitors.lost, visitors.lost[:3]


def test_an_opportunistic_group_does_nothing_until_it_is_told(bench):
    bench.settings(operation_seconds=0.1)
    for name in ("web-v1", "web-v2"):
        bench.create_template(name, f"global/images/{name}")
    place = "regions/europe-west1"
    bench.create_group("web", "web-v1", 4, place, checked=False, type="OPPORTUNISTIC")
    bench.patch_group("web", place, versions=[version("web-v2")])
    time.sleep(0.5)
    status = bench.group("web", place)["status"]
    assert status["isStable"] and not status["versionTarget"]["isReached"]
    path = f"{COMPUTE}/{place}/instanceGroupManagers/web"
    listed = bench.api("POST", f"{path}/listManagedInstances")["managedInstances"]
    assert {i["version"]["instanceTemplate"].rpartition("/")[2] for i in listed} == {"web-v1"}
    assert len({i["instance"].split("/zones/")[1].split("/")[0] for i in listed}) == 3
    bench.api("POST", f"{path}/applyUpdatesToInstances", {"instances": [listed[0]["instance"]]})
    wanted = {"web-v1": 3, "web-v2": 1}
    wait_for(lambda: bench.instances("web", place) == wanted, "one was replaced")
    bench.api("POST", f"{path}/applyUpdatesToInstances", {"allInstances": True})
    bench.stable("web", place)
    assert bench.instances("web", place) == {"web-v2": 4}


def test_instances_that_never_become_healthy_keep_the_group_from_being_stable(bench):
    bench.settings(operation_seconds=0.1, bad_images=["broken"])
    bench.create_template("web-v1", "global/images/v1")
    bench.create_template("web-v2", "global/images/v2", release="broken")
    bench.create_group("web", "web-v1", 2)
    bench.patch_group("web", versions=[version("web-v2")])
    path = f"{COMPUTE}/zones/{ZONE}/instanceGroupManagers/web/listManagedInstances"

    def ill():
        return [
            i["currentAction"] for i in bench.api("POST", path)["managedInstances"]
            if i.get("instanceHealth", [{}])[0].get("detailedHealthState") == "UNHEALTHY"
        ]

    wait_for(lambda: ill() == ["VERIFYING"], "the first new one is ill")
    assert bench.instances("web") == {"web-v1": 2, "web-v2": 1}, "and nobody left for it"
    assert not bench.group("web")["status"]["isStable"]
    bench.patch_group("web", versions=[version("web-v1")])
    bench.stable("web")
    assert bench.instances("web") == {"web-v1": 2}


# ---- images --------------------------------------------------------------------------------------


def ask(url, method="HEAD", **headers):
    request = urllib.request.Request(url, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as why:
        return why.code, why.headers, why.read()


def test_the_registry_tells_digests_to_those_who_may_know_them(bench):
    name, accept = "bench/learn/app", "application/vnd.oci.image.index.v1+json"
    digest = bench.push_image(name, "v1")
    url = f"{bench.url}/v2/{name}/manifests/v1"
    status, headers, _ = ask(url, Accept=accept)
    assert status == 401 and headers["WWW-Authenticate"].startswith(f'Bearer realm="{bench.url}/')
    assert f'scope="repository:{name}:pull"' in headers["WWW-Authenticate"]
    service = urllib.parse.quote(f"127.0.0.1:{bench.port}")
    realm = f"{bench.url}/v2/token?service={service}&scope=repository:{name}:pull"
    basic = "Basic " + base64.b64encode(f"oauth2accesstoken:{TOKEN}".encode()).decode()
    token = json.loads(ask(realm, "GET", Authorization=basic)[2])["token"]
    status, headers, body = ask(url, Accept=accept, Authorization=f"Bearer {token}")
    assert (status, headers["Docker-Content-Digest"], body) == (200, digest, b"")
    other = url.replace("/app/", "/other/")
    assert ask(other, Accept=accept, Authorization=f"Bearer {token}")[0] == 403
    nobody = json.loads(ask(realm, "GET")[2])["token"]
    assert ask(url, Accept=accept, Authorization=f"Bearer {nobody}")[0] == 403
    assert ask(url, Accept="application/json", Authorization=basic)[0] == 404
    parent = "/artifactregistry/v1/projects/bench/locations/europe/repositories/learn"
    told = bench.api("GET", f"{parent}/packages/app/tags/v1")
    assert told["version"].endswith(f"/versions/{digest}")
    bench.settings(public_images=[name])
    assert ask(f"{bench.url}/registry/v2/{name}/manifests/{digest}", Accept=accept)[0] == 200
