"""How releases are judged: our arithmetic against SciPy's, and gauges and error budgets of a real
Prometheus in whole rollouts.
"""

import os
import random
import re
import subprocess
import time
from pathlib import Path

import pytest

from conftest import SLUICE
from test_prometheus import (  # noqa: F401: the fixtures too
    COURSES,
    PROMETHEUS,
    Exporter,
    Prometheus,
    Students,
    exporter,
    prometheus,
    wait_for,
    watched,
)

PROGRAM = Path(os.environ.get("JUDGE_NUMBERS", Path(SLUICE).parent / "tests/e2e/judge_numbers"))
GRID = [(1.5, 0.1), (2, 0.2), (3, 0.25), (5, 0.2), (10, 0.15), (30, 0.1)]


# ---- numbers -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scipy():
    """Debian's python3-scipy; a test without it says so and is left out."""
    stats = pytest.importorskip("scipy.stats")
    special = pytest.importorskip("scipy.special")
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    return stats, special


def ask(questions):
    """The answer to each question, as numbers; None where nothing is said."""
    text = "\n".join(" ".join(map(repr_of, question)) for question in questions)
    done = subprocess.run([PROGRAM], input=text, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(questions)
    return [None if line == "none" else [float(word) for word in line.split()] for line in lines]


def repr_of(word):
    return word if isinstance(word, str) else repr(float(word))


def close(have, want, slack=1e-9):
    return abs(have - want) <= slack * max(1, abs(want))


def samples(chance, most, tied):
    n, m = chance.randint(1, most), chance.randint(1, most)
    if tied:
        draw = lambda shift: chance.randint(0, 12) / 4 + shift  # noqa: E731
    else:
        draw = lambda shift: chance.gauss(shift, 1)  # noqa: E731
    shift = chance.choice([0, 0, 0.5, 2])
    return [draw(shift) for _ in range(n)], [draw(0) for _ in range(m)]


@pytest.mark.parametrize("kind, most, tied", [("mann_whitney", 20, False), ("mann_whitney", 90, True),
                                              ("small", 32, True), ("small", 32, False)])
def test_mann_whitney_as_scipy(scipy, kind, most, tied):
    stats, _ = scipy
    chance = random.Random(f"{kind} {most} {tied}")
    pairs = [samples(chance, most, tied) for _ in range(150)]
    level = 0.98
    answers = ask([(kind, level, len(x), len(y), *x, *y) for x, y in pairs])
    for (x, y), have in zip(pairs, answers):
        p, greater, less, shift, low, high, exact = have
        if len(set(x + y)) == 1:
            assert (p, shift) == (1, 0)
            continue
        method = "exact" if exact else "asymptotic"
        assert exact == (kind == "mann_whitney" and not tied)
        test = lambda a, side: stats.mannwhitneyu(  # noqa: E731
            a, y, alternative=side, method=method, use_continuity=True).pvalue
        assert close(p, test(x, "two-sided")), (x, y)
        assert close(greater, test(x, "greater")), (x, y)
        assert close(less, test(x, "less")), (x, y)
        differences = sorted(a - b for a in x for b in y)
        assert differences[0] - 1e-9 <= low <= high <= differences[-1] + 1e-9
        if not tied:
            middle = len(differences) // 2
            median = (differences[middle] + differences[-1 - middle]) / 2
            gap = differences[min(middle + 1, len(differences) - 1)] - differences[max(middle - 2, 0)]
            assert abs(shift - median) <= (1e-9 if exact else gap + 1e-9)
        if exact:
            continue
        # The interval ends where the test would begin to reject a canary that is moved by as much.
        tail, step = (1 - level) / 2, 1e-7
        moved = lambda by, side: test([a - by for a in x], side)  # noqa: E731
        if low > differences[0] + 2 * step:
            assert moved(low - step, "greater") <= tail + 1e-9 <= moved(low + step, "greater") + 2e-9
        if high < differences[-1] - 2 * step:
            assert moved(high + step, "less") <= tail + 1e-9 <= moved(high - step, "less") + 2e-9


def test_e_process_as_its_formula(scipy):
    stats, special = scipy
    chance = random.Random(1)
    questions, wants = [], []
    for _ in range(200):
        tolerance, phi = chance.choice([1, 1.2, 2]), chance.choice([1, 1, 2.5])
        rows = []
        for _ in range(chance.randint(1, 12)):
            canary, baseline = chance.randint(50, 2000), chance.randint(50, 9000)
            rows.append((chance.randint(0, 40), canary, chance.randint(0, 50), baseline))
        terms = []
        for ratio, weight in GRID:
            total = 0
            for bad, canary, other, baseline in rows:
                null = tolerance * canary / (tolerance * canary + baseline)
                worse = tolerance * ratio * canary / (tolerance * ratio * canary + baseline)
                total += stats.binom.logpmf(bad, bad + other, worse) - stats.binom.logpmf(bad, bad + other, null)
            terms.append(total / phi + special.xlogy(1.0, weight))
        questions.append(("eprocess", tolerance, phi, len(rows), *(n for row in rows for n in row)))
        wants.append(special.logsumexp(terms))
    for (have,), want in zip(ask(questions), wants):
        assert close(have, want, 1e-8)


def test_share_of_requests_as_chi_square(scipy):
    stats, _ = scipy
    chance = random.Random(2)
    rows = [(chance.randint(1, 5000), chance.randint(1, 50000), chance.uniform(0.01, 0.9)) for _ in range(300)]
    for (canary, baseline, share), (have,) in zip(rows, ask([("share", *row) for row in rows])):
        total = canary + baseline
        want = stats.chisquare([canary, baseline], [total * share, total * (1 - share)]).pvalue
        assert close(have, want, 1e-9)


def test_dispersion_as_chi_square(scipy):
    stats, _ = scipy
    chance = random.Random(3)
    questions, wants = [], []
    for _ in range(60):
        rows = [(chance.randint(15, 28), chance.randint(1500, 2500)) for _ in range(4 * chance.randint(1, 40))]
        distance = 0
        for i in range(0, len(rows), 4):
            bad, total = zip(*rows[i:i + 4])
            distance += stats.chisquare(bad, [sum(bad) * t / sum(total) for t in total]).statistic
        questions.append(("dispersion", len(rows), *(n for row in rows for n in row)))
        wants.append((distance, len(rows) / 4 * 3))
    for (have, freedom, bound), (distance, degrees) in zip(ask(questions), wants):
        assert close(have, distance) and freedom == degrees
        # Wilson and Hilferty's quantile is within a hundredth of the true one.
        assert close(bound, max(1, (distance + 6) / stats.chi2.ppf(0.05, degrees + 6)), 0.01)


def test_normal_quantile(scipy):
    stats, _ = scipy
    shares = [1e-12, 1e-6, 0.0005, 0.01, 0.3, 0.5, 0.9, 0.975, 0.99, 1 - 1e-6]
    for share, (have,) in zip(shares, ask([("quantile", share) for share in shares])):
        assert close(have, stats.norm.ppf(share), 1e-9)


# ---- whole rollouts ------------------------------------------------------------------------------

LATENCY = """\
  courses:
    source: prometheus
    url: "${env.PROM_URL}"
    every: 1s
    lag: 1s
    compare: mann-whitney
    query: 'avg(latency_seconds{rev="${revision}"})'"""

BUDGET = """\
  courses:
    source: prometheus
    url: "${env.PROM_URL}"
    every: 2s
    lag: 1s
    burn_rate: {slo: 99%}
    bad:   'sum(increase(requests_total{code!="200", rev="${revision}"}[${window}])) or vector(0)'
    total: 'sum(increase(requests_total{rev="${revision}"}[${window}]))'"""


class Gauges(Exporter):
    """Beside the counts how long each release is said to take: 100 ms, scattered."""

    def __init__(self):
        super().__init__()
        self.silent = set()
        self.chance = random.Random(4)

    def text(self):
        with self.lock:
            releases = list(self.counts)
        lines = ["# TYPE latency_seconds gauge"]
        for release in releases:
            name = release.split("-")[0]
            if name not in self.silent:
                value = 0.1 * self.chance.uniform(0.9, 1.1)
                lines.append(f'latency_seconds{{rev="{release}"}} {value}')
        return super().text() + "\n".join(lines) + "\n"


class Stopwatch(Gauges):
    """How long the requests of each release really took, on average since the last scrape."""

    def __init__(self):
        super().__init__()
        self.times, self.newest = {}, {}

    def took(self, release, seconds):
        with self.lock:
            self.times.setdefault(release, []).append(seconds)

    def text(self):
        with self.lock:
            for release, times in self.times.items():
                self.newest[release] = sum(times) / len(times)
            self.times = {}
            lines = [f'latency_seconds{{rev="{release}"}} {value}'
                     for release, value in self.newest.items()]
        return Exporter.text(self) + "# TYPE latency_seconds gauge\n" + "\n".join(lines) + "\n"


def must_have_prometheus():
    if not PROMETHEUS:
        pytest.skip("prometheus is not installed")


@pytest.fixture
def gauges(site, tmp_path, monkeypatch, request):
    """The site with two releases to come, its latency watched by Prometheus."""
    must_have_prometheus()
    gauges = getattr(request, "param", Gauges)()
    prometheus = students = None
    try:
        prometheus = Prometheus(tmp_path, gauges)
        monkeypatch.setenv("PROM_URL", prometheus.url)
        site.config(
            COURSES, LATENCY,
            "version: 1", "version: 1\nenv: [PROM_URL]",
            "step_bake: 3s", "step_bake: 16s",
            "    bake: 2s", "    bake: 16s",
        )
        students = Students(site, gauges)
        wait_for(lambda: prometheus.ask('count_over_time(latency_seconds{rev=~"v1.*"}[1m])'), "v1 was scraped")
        yield gauges
    finally:
        if students:
            students.stop()
        if prometheus:
            prometheus.stop()
        gauges.stop()


def test_a_release_as_quick_as_the_rest_goes_out(site, gauges):
    site.release("2-search")
    plan = site.must("plan")
    assert "courses on web: 14 values of each side" in plan.out, plan
    done = site.must("rollout", "v2", "--wait", "suspend")
    assert "v2 done in production" in done.out
    assert site.serving() == {"v2"}
    site.must("verify")


@pytest.mark.parametrize("gauges", [Stopwatch], indirect=True)
def test_a_slow_release_is_taken_back_by_its_gauge(site, gauges):
    """It really is: each page of courses takes a third of a second longer."""
    views = site.repository / "courses/views.py"
    views.write_text("import time\n\n" + views.read_text().replace(
        "def catalogue(request):\n", "def catalogue(request):\n    time.sleep(0.3)\n"))
    site.scene.git("commit", "--quiet", "--all", "--message=Slow")
    site.scene.git("push", "--quiet", "origin", "HEAD")
    site.decide()
    done = site.must("rollout", "v2", code=1)
    assert "rolled-back" in done.out and "courses on web: median 0." in done.out, done
    assert site.serving() == {"v1"}
    site.must("verify")


def test_a_gauge_that_nobody_tells_is_never_a_pass(site, gauges):
    gauges.silent.add("v2")
    site.config("min_requests: 40", "min_requests: 40, inconclusive: {extend: 0, then: hold}")
    site.name_a_watcher()
    site.release("2-search")
    done = site.must("rollout", "v2", "--wait", "suspend", code=1)
    assert "held" in done.out, done
    assert site.serving() == {"v1", "v2"}
    site.must("rollback", "--yes", "--reason", "nothing can be seen")


@pytest.fixture
def budget(site, gauges):
    site.config(LATENCY, BUDGET)
    site.config("step_bake: 16s", "step_bake: 10s")
    site.config("    bake: 16s", "    bake: 10s")
    return gauges


def test_a_release_within_its_budget_goes_out(site, budget):
    """One request in fifty fails: twice the budget of 1 %, which is slow enough."""
    site.release("2-search")
    done = site.must("rollout", "v2", "--wait", "suspend")
    assert "v2 done in production" in done.out


def test_a_release_that_burns_its_budget_is_taken_back(site, budget):
    site.release("2-search")
    site.release("3-recommend")
    done = site.must("rollout", "v3", code=1)
    assert "rolled-back" in done.out and "courses on web: burns" in done.out, done
    assert site.serving() == {"v1"}
    site.must("verify")


# ---- what was before -----------------------------------------------------------------------------


def bursts_of(watched, exporter, prometheus, bad):
    """How bursty the plan says that failures are, after half a minute of them: `bad` tells how many
    there are in the n-th second."""
    exporter.count("v1")
    wait_for(lambda: prometheus.ask('count(requests_total{rev="v1"})'), "v1 was scraped")
    began = time.monotonic()
    for second in range(30):
        exporter.count("v1", good=400, bad=bad(second))
        time.sleep(max(0, began + second + 1 - time.monotonic()))
    plan = watched.run("plan")  # refused or not, it is printed
    said = re.search(r"failures of courses on web come with a variance of at most ([\d.e+]+) of", plan.out)
    assert said, plan
    return float(said.group(1))


def test_the_plan_says_how_bursty_failures_are(watched, exporter, prometheus):  # noqa: F811
    """The demo's metric asks for 3 s at a time: failures in every second, or seven seconds apart. Of
    3 s `increase` sees what lies between the three scrapes within: nine seconds apart, all bursts
    could fall between two questions."""
    assert bursts_of(watched, exporter, prometheus, lambda second: 8) < 2.5
    assert bursts_of(watched, exporter, prometheus, lambda second: 56 * (second % 7 == 0)) > 5
