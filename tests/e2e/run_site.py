"""A service of Cloud Run in the bench, with a known good revision, and a repository for it; and the
fixtures of the tests that bring releases there: what is asserted of the service comes from its API,
asked without sluice."""

import itertools

import pytest

from cloud_site import CloudSite, Visitors
from google_bench import NAMED, PROJECT, REGION, RUN, GoogleBench, page_permissions

numbers = itertools.count(1)

STAGE = """\
rollout:
  - stage: production
    targets: [search]
    steps: {steps}
    step_bake: {bake}
    bake: {bake}
{metrics}ledger: {{branch: release-ledger, remote: origin}}
incidents: {{on_rollback: P2}}
"""


class RunSite(CloudSite):
    """A service of its own in the bench, with a known good revision, and a repository for it."""

    def __init__(self, folder, bench):
        super().__init__(folder)
        self.bench, self.name = bench, f"search{next(numbers)}"
        bench.settings(serve=[self.name], public_images=["bench/learn/app", "bench/bad/app"])
        self.images = f"127.0.0.1:{bench.port}/bench/learn/app"
        bench.create_service(
            self.name, f"{self.images}@{self.digest('first')}", scaling={"maxInstanceCount": 7}
        )
        self.first = self.latest()
        self.target()

    def target(self, steps="[5%, 50%, 100%]", bake="1s", more=""):
        watched = "probe" in more and "courses" or more and "errors"
        self.configure(
            f"targets:\n  search: {{kind: gcp-run, project: {PROJECT}, region: {REGION}, "
            f'service: {self.name}, artifact: {{image: "{self.images}@${{digest}}"}}}}\n'
            + more
            + STAGE.format(
                steps=steps, bake=bake, metrics=f"    metrics: [{watched}]\n" if watched else ""
            )
        )

    def digest(self, release):
        return self.bench.push_image(self.images.partition("/")[2], release, words=release)

    def bring(self, release, *words, code=0):
        self.change(release)
        done = self.run(
            "rollout", release, "--artifact", f"search={self.digest(release)}", *words
        )
        assert code in (done.code, None), done
        return done

    def begin(self, release):
        self.change(release)
        return self.start("rollout", release, "--artifact", f"search={self.digest(release)}")

    def revision(self, release):
        return f"{self.name}-{release}-{self.digest(release)[7:19]}"

    # ---- what is there, by the API alone ---------------------------------------------------------

    def service(self):
        return self.bench.service(self.name)

    def latest(self):
        return self.service()["latestReadyRevision"].rpartition("/")[2]

    def serving(self):
        return self.bench.serving(self.name)

    def wanted(self):
        return {
            (target.get("revision"), target.get("tag")): target.get("percent", 0)
            for target in self.service()["traffic"]
        }

    def revisions(self):
        told = self.bench.api("GET", f"{RUN}/services/{self.name}/revisions")["revisions"]
        return [revision["name"].rpartition("/")[2] for revision in told]

    def patch(self, **changes):
        """As somebody else, behind one's back."""
        mask = ",".join(changes)
        path = f"{RUN}/services/{self.name}?updateMask={mask}"
        self.bench.finish(self.bench.api("PATCH", path, changes))

    def serves(self, revision):
        """All of it, settled, wanted as served, and with nobody's tags left."""
        service = self.service()
        assert self.serving() == {revision: 100}
        assert service["traffic"] == [{"type": NAMED, "revision": revision, "percent": 100}]
        assert service["trafficStatuses"] == service["traffic"]
        assert service["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"
        assert service["observedGeneration"] == service["generation"]
        servers = self.bench.state(self.name)["servers"]
        assert [name for name, server in servers.items() if server["weight"]] == [revision]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = GoogleBench(tmp_path_factory.mktemp("google") / "log")
    yield bench
    bench.stop()


@pytest.fixture(autouse=True)
def environment(bench, tmp_path, monkeypatch):
    for name, value in bench.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    bench.control(faults={}, denied=[], granted=page_permissions("gcp-run.md"))
    bench.settings(converge_seconds=0.3, converge_steps=1, bad_images=[], strays={})
    refused = len(bench.refused())
    yield
    bench.control(faults={}, denied=[], granted=None)
    assert bench.refused()[refused:] == []


@pytest.fixture
def site(tmp_path, bench):
    site = RunSite(tmp_path / "site", bench)
    site.must("adopt")
    return site


@pytest.fixture
def visitors(site, bench):
    visitors = Visitors(bench.state(site.name)["url"])
    yield visitors
    visitors.stop()
