"""Rollouts judged by a real Prometheus, that scrapes counters which real requests have driven.

What the hosts answer is counted as an application would count it, by release and status. The plan's
figures are checked against what the same Prometheus says when it is asked directly.
"""

import http.client
import http.server
import json
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

from conftest import end
from scene import free_ports

PROMETHEUS = shutil.which("prometheus", path="/usr/bin:/usr/local/bin")
pytestmark = pytest.mark.skipif(not PROMETHEUS, reason="prometheus is not installed")

COURSES = '  courses: {source: probe, url: "http://127.0.0.1:${port}/courses/", every: 1s, requests: 20}'
HEALTH = '  health:  {source: probe, url: "http://127.0.0.1:${port}/health", every: 1s, max_failures: 3}\n'
ERRORS = """\
  courses:
    source: prometheus
    url: "${env.PROM_URL}"
    every: 3s
    lag: 1s
    bad:   'sum(increase(requests_total{code!="200", rev="${revision}"}[${window}])) or vector(0)'
    total: 'sum(increase(requests_total{rev="${revision}"}[${window}]))'"""


class Exporter:
    """/metrics of the application: requests by release and status."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = outer.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def count(self, release, good=0, bad=0):
        with self.lock:
            # Both from the start, so that no first error is missed for want of a sample before it.
            counts = self.counts.setdefault(release, {"200": 0, "500": 0})
            counts["200"] += good
            counts["500"] += bad

    def took(self, release, seconds):
        pass  # only whether it was right is counted here

    def total(self, release):
        with self.lock:
            return sum(
                sum(counts.values())
                for name, counts in self.counts.items()
                if name == release or name.startswith(release + "-")
            )

    def text(self):
        with self.lock:
            lines = ["# TYPE requests_total counter"] + [
                f'requests_total{{rev="{release}",code="{code}"}} {value}'
                for release, counts in self.counts.items()
                for code, value in counts.items()
            ]
        return "\n".join(lines) + "\n"

    def stop(self):
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()


class Students:
    """Asks every host for its courses; one request in fifty is for a course that does not exist."""

    def __init__(self, site, exporter, per_second=40):
        self.over = threading.Event()
        self.exporter = exporter
        self.pause = 1 / per_second
        self.threads = [
            threading.Thread(target=self.ask, args=(port,))
            for port in site.scene.ports["hosts"].values()
        ]
        for thread in self.threads:
            thread.start()

    def ask(self, port):
        number = 0
        while not self.over.wait(self.pause):
            number += 1
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            began = time.monotonic()
            try:
                connection.request("GET", "/courses/none/" if number % 50 == 0 else "/courses/")
                answer = connection.getresponse()
                answer.read()
                good = answer.status == 200
                self.exporter.took(answer.getheader("X-Release"), time.monotonic() - began)
                self.exporter.count(answer.getheader("X-Release"), good=good, bad=not good)
            except (OSError, http.client.HTTPException):
                pass  # between two releases: what nobody answers, the application does not count
            finally:
                connection.close()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Visitors:
    """Come through the load balancer, as everybody does; each request that is not answered as it
    should be is lost."""

    def __init__(self, site, count=2, pause=0.02):
        self.over = threading.Event()
        self.port, self.pause = site.scene.ports["site_port"], pause
        self.answered, self.lost = [0] * count, []
        self.threads = [threading.Thread(target=self.come, args=(n,)) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def come(self, number):
        while not self.over.wait(self.pause):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection.request("GET", "/courses/")
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.answered[number] += 1
                else:
                    self.lost.append(answer.status)
            except (OSError, http.client.HTTPException) as why:
                self.lost.append(repr(why))
            finally:
                connection.close()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Prometheus:
    def __init__(self, folder, exporter):
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        (folder / "prometheus.yml").write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                    "scrape_configs": [
                        {
                            "job_name": "learn",
                            "static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"]}],
                        }
                    ],
                }
            )
        )
        self.log = open(folder / "prometheus.log", "w")
        self.child = subprocess.Popen(
            [
                PROMETHEUS,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/prometheus",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        try:
            wait_for(self.is_ready, "Prometheus is ready")
        except BaseException:
            self.stop()
            raise

    def is_ready(self):
        assert self.child.poll() is None, "Prometheus ended: see its log"
        with urllib.request.urlopen(self.url + "/-/ready", timeout=5) as answer:
            return answer.status == 200

    def ask(self, query):
        """The one number that the query gives now, or None."""
        words = urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{words}", timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def stop(self):
        end(self.child)
        self.log.close()


@pytest.fixture
def exporter():
    exporter = Exporter()
    yield exporter
    exporter.stop()


@pytest.fixture
def prometheus(tmp_path, exporter):
    prometheus = Prometheus(tmp_path, exporter)
    yield prometheus
    prometheus.stop()


@pytest.fixture
def watched(site, prometheus, monkeypatch):
    """The site with its courses page watched by Prometheus."""
    monkeypatch.setenv("PROM_URL", prometheus.url)
    site.config(
        COURSES, ERRORS,
        "version: 1", "version: 1\nenv: [PROM_URL]",
        "step_bake: 3s", "step_bake: 8s",
        "    bake: 2s", "    bake: 8s",
    )
    return site


@pytest.fixture
def students(watched, exporter, prometheus):
    """Enough of them, for long enough, that the short bakes can see what they are to see: a rollout
    that could not is refused."""
    watched.config(
        "step_bake: 8s", "step_bake: 12s",
        "    bake: 8s", "    bake: 12s",
        "min_requests: 40", "min_requests: 40, detect: {ratio: 40}",
    )
    students = Students(watched, exporter)
    try:
        bad = 'sum(increase(requests_total{rev="v1", code!="200"}[1m]))'
        wait_for(lambda: (prometheus.ask(bad) or 0) > 24, "enough was counted", seconds=150)
        yield students
    finally:
        students.stop()


def wait_for(holds, what, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if holds():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s until {what}")


def test_a_good_release_passes_by_the_rates_of_prometheus_and_loses_no_request(
    watched, students, exporter
):
    watched.release("2-search")
    visitors = Visitors(watched)
    try:
        done = watched.must("rollout", "v2", "--wait", "suspend")
    finally:
        visitors.stop()
    assert not visitors.lost and sum(visitors.answered) > 100, (visitors.answered, visitors.lost)
    assert "v2 done in production" in done.out
    assert watched.serving() == {"v2"}
    assert exporter.total("v2") > 200
    watched.must("verify")


def test_a_bad_release_is_taken_back_by_the_rates_of_prometheus(watched, students, exporter):
    watched.release("2-search")
    watched.release("3-recommend")
    done = watched.must("rollout", "v3", code=1)
    assert "rolled-back" in done.out and "courses on web" in done.out, done
    assert watched.serving() == {"v1"}
    watched.must("verify")


def exporter_gone(exporter, prometheus, students):
    exporter.stop()


def prometheus_gone(exporter, prometheus, students):
    prometheus.stop()


def traffic_gone(exporter, prometheus, students):
    students.stop()


@pytest.mark.parametrize("lose", [exporter_gone, prometheus_gone, traffic_gone])
def test_figures_that_stop_in_the_middle_are_never_a_pass(
    watched, students, exporter, prometheus, lose
):
    watched.config("min_requests: 40", "min_requests: 40, inconclusive: {extend: 0, then: hold}")
    watched.name_a_watcher()
    watched.release("2-search")
    rollout = watched.start("rollout", "v2", "--wait", "suspend")
    try:
        # Enough of them for a pass, had they not stopped.
        wait_for(lambda: exporter.total("v2") > 60, "v2 has answered")
        lose(exporter, prometheus, students)
        out, err = rollout.communicate(timeout=120)
    finally:
        end(rollout)
    assert rollout.returncode == 1 and "held" in out, (out, err)
    assert watched.serving() == {"v1", "v2"}, "it has not gone on"
    watched.must("rollback", "--yes", "--reason", "nothing can be seen")
    assert watched.serving() == {"v1"}
    watched.must("verify")


LEFT = re.compile(r"It bakes until .+Z and holds no process: sluice watch on ops1 wakes it within 2 s")


def left_in_a_long_bake(watched):
    watched.config("step_bake: 12s", "step_bake: 45s", "    bake: 12s", "    bake: 45s")
    # Who asks by itself cannot tell later what it did not ask: `health` would keep the process.
    watched.config("metrics: [courses, health]", "metrics: [courses]", HEALTH, "")
    watched.name_a_watcher(every="2s")
    watched.release("2-search")
    left = watched.must("rollout", "v2", "--wait", "suspend")
    assert LEFT.search(left.out) and "waiting in production" in left.out, left
    assert watched.serving() == {"v1", "v2"}


def test_a_long_bake_holds_no_process_and_is_judged_all_the_same(watched, students):
    left_in_a_long_bake(watched)
    assert LEFT.search(watched.must("status").out)
    for looks in range(60):
        time.sleep(2)
        done = watched.must("resume")
        if not LEFT.search(done.out):
            break
    assert looks >= 4 and "v2 done in production" in done.out, (looks, done)
    assert watched.serving() == {"v2"}
    watched.must("verify")


def test_a_breach_that_nobody_watched_is_taken_back_by_the_next_look(watched, students, exporter):
    left_in_a_long_bake(watched)
    with exporter.lock:
        (release,) = (name for name in exporter.counts if name.startswith("v2-"))
    for _ in range(3):
        exporter.count(release, bad=200)
        time.sleep(1)
    time.sleep(3)  # good again: only who asks for the time in between can see it
    done = watched.must("resume", code=1)
    assert "rolled-back" in done.out and "courses on web" in done.out, done
    assert watched.serving() == {"v1"}
    watched.must("verify")


# ---- the plan ------------------------------------------------------------------------------------


def traffic(exporter, prometheus, per_second, bad_share):
    """Drives the counters of what runs today until Prometheus has seen enough of it, then stops:
    what is asked of it within the minute is then the same. Gives requests a minute."""
    exporter.count("v1")
    wait_for(lambda: prometheus.ask('count(requests_total{rev="v1"})'), "v1 was scraped")
    for _ in range(8):
        bad = round(per_second * bad_share)
        exporter.count("v1", good=per_second - bad, bad=bad)
        time.sleep(1)
    increase = 'sum(increase(requests_total{rev="v1"}[1m]))'
    wait_for(lambda: prometheus.ask(increase), "it says how many there were")
    time.sleep(2)
    return prometheus.ask(increase)


STEP = re.compile(
    r"\n  (?P<step>\d+)\. +(?P<share>\d+) %  watched for (?P<bake>.+)\n"
    r" +a release 5x worse is seen in (?P<median>.+) \(95 %: (?P<p95>.+)\) by courses; "
    r"about (?P<requests>\d+) requests meet it, (?P<bad>\d+) of them bad\n"
    r" +the smallest regression that it sees: (?P<smallest>[\d.]+)x"
)


SUSPENDED = re.compile(
    r"  suspended, a release 5x worse is seen in (.+) at worst: sluice watch on ops1 wakes it "
    r"within 2 min 30 s, and sees it in (.+) \(95 %\)\n"
)


def seconds(words):
    """Of "9 min 42 s" or "20m32s"."""
    units = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
    return sum(float(n) * units[unit] for n, unit in re.findall(r"([\d.]+) ?([a-z]+)", words))


def test_plan_tells_from_todays_figures_how_soon_a_regression_is_seen(
    watched, exporter, prometheus
):
    watched.config("step_bake: 8s", "step_bake: 60s")
    watched.config("    bake: 8s", "    bake: 60s")
    unnamed = watched.must("plan")
    assert "Warning: no `watch` names what wakes it when it is suspended" in unnamed.out
    assert "Name it, such as `watch: {by: sluice watch on ops1, every: 30s}`" in unnamed.out
    watched.name_a_watcher(every="90s", late="1m")
    unknown = watched.must("plan")
    assert "cannot be said: no metric tells today's traffic" in unknown.out
    assert ("suspended, it is woken by sluice watch on ops1 within 2 min 30 s; in what time after "
            "that a release 5x worse is seen cannot be said") in unknown.out
    per_minute = traffic(exporter, prometheus, per_second=2000, bad_share=0.01)
    done = watched.must("plan")
    steps = [step.groupdict() for step in STEP.finditer(done.out)]
    assert [step["share"] for step in steps] == ["50", "100"], done
    for step in steps:
        median, requests = seconds(step["median"]), int(step["requests"])
        assert 4 < median <= seconds(step["p95"]) <= 60, done
        expected = per_minute * int(step["share"]) / 100 * median / 60
        assert abs(requests - expected) < 0.15 * expected, (per_minute, done)
        assert abs(int(step["bad"]) - requests * 0.05) < 0.1 * requests * 0.05, done
        assert 1.2 < float(step["smallest"]) <= 5, done
    worst, sees = SUSPENDED.search(done.out).groups()
    assert sees == max((step["p95"] for step in steps), key=seconds), done
    assert abs(seconds(worst) - seconds("2 min 30 s") - seconds(sees)) <= 1, done


def test_a_rollout_is_refused_with_the_words_of_the_plan(watched, exporter, prometheus):
    watched.release("2-search")
    traffic(exporter, prometheus, per_second=200, bad_share=0.01)
    recorded = len(watched.events())
    plan, done = watched.must("plan", code=2), watched.must("rollout", "v2", code=2)
    without_figures = lambda text: re.sub(r"\d+", "#", text)  # noqa: E731
    assert "cannot see metric courses get 5 times worse within its bake of 8s" in done.err
    assert without_figures(plan.err) == without_figures(done.err), (plan, done)
    assert len(watched.events()) == recorded and watched.serving() == {"v1"}
    prometheus.stop()  # then it is unknown, as for the plan, and the bakes must find it out
    assert "cannot be said" in watched.must("plan").out


def test_plan_refuses_what_it_could_not_see_and_names_the_bake_that_would_do(
    watched, exporter, prometheus
):
    traffic(exporter, prometheus, per_second=200, bad_share=0.01)
    done = watched.must("plan", code=2)
    assert "cannot see metric courses get 5 times worse within its bake of 8s" in done.err
    remedy = re.search(r"Set `step_bake: (\w+)` and `bake: (\w+)` or more", done.err)
    for key, bake in zip(("step_bake", "bake"), remedy.groups()):  # of the step, and of the end
        assert seconds(bake) > 8, done
        watched.config(f" {key}: 8s", f" {key}: {bake}")
    traffic(exporter, prometheus, per_second=200, bad_share=0.01)
    done = watched.must("plan")
    assert len(STEP.findall(done.out)) == 2, done
