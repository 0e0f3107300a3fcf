"""A managed instance group in the bench, and a repository whose releases go there. The bench checks
every request by Google's own documents, makes and checks instances in time, and balances real
requests over them; what is asserted of it at the end comes from its API, asked without sluice."""

import itertools

import pytest

from cloud_site import CloudSite, Visitors
from google_bench import COMPUTE, PROJECT, ZONE, GoogleBench, page_permissions

numbers = itertools.count(1)

STAGE = """\
rollout:
  - stage: production
    targets: [web]
    steps: {steps}
    step_bake: {bake}
    bake: {bake}
{more}ledger: {{branch: release-ledger, remote: origin}}
incidents: {{on_rollback: P2}}
"""
BUILT = '{{template: "{group}-${{release}}"}}'


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = GoogleBench(tmp_path_factory.mktemp("google") / "log")
    yield bench
    bench.stop()


@pytest.fixture(autouse=True)
def environment(bench, tmp_path, monkeypatch):
    for name, value in bench.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    bench.control(faults={}, denied=[], granted=page_permissions("gcp-mig.md"))
    bench.settings(bad_images=[], strays={}, create_seconds=0.2, verify_seconds=0.2)
    refused = len(bench.refused())
    yield
    bench.control(faults={}, denied=[], granted=None)
    assert bench.refused()[refused:] == []


class GroupSite(CloudSite):
    """A group of its own in the bench, all of whose instances are of one template, and a repository
    for it."""

    def __init__(self, folder, bench, size=4, place=f"zones/{ZONE}", artifact=BUILT, **policy):
        super().__init__(folder)
        self.bench, self.name, self.place = bench, f"web{next(numbers)}", place
        self.artifact = artifact
        bench.settings(serve=[self.name])
        self.first = f"{self.name}-v1"
        self.build("v1")
        bench.create_group(self.name, self.first, size, place, **policy)
        self.target()

    def build(self, release):
        """What a build does, that makes templates."""
        name = f"{self.name}-{release}"
        self.bench.create_template(name, f"global/images/learn-{release}", release=release)
        return name

    def target(self, steps="[25%, 50%, 100%]", bake="1s", metrics="", more=""):
        kind, _, place = self.place.partition("/")
        artifact = self.artifact.format(group=self.name)
        more = ("    metrics: [courses]\n" if metrics else "") + more
        self.configure(
            f"targets:\n  web: {{kind: gcp-mig, project: {PROJECT}, {kind[:-1]}: {place}, "
            f"group: {self.name}, artifact: {artifact}}}\n"
            + metrics + STAGE.format(steps=steps, bake=bake, more=more)
        )

    def bring(self, release, *words, code=0):
        self.change(release)
        done = self.run("rollout", release, *words)
        assert code in (done.code, None), done
        return done

    def begin(self, release):
        self.change(release)
        return self.start("rollout", release)

    # ---- what is there, by the API alone ---------------------------------------------------------

    def group(self):
        return self.bench.group(self.name, self.place)

    def instances(self):
        return self.bench.instances(self.name, self.place)

    def versions(self):
        return [
            (version["instanceTemplate"].rpartition("/")[2],
             version.get("targetSize", {}).get("fixed"))
            for version in self.group()["versions"]
        ]

    def templates(self):
        told = self.bench.api("GET", f"{COMPUTE}/global/instanceTemplates")["items"]
        return [t["name"] for t in told if t["name"].startswith(f"{self.name}-")]

    def resize(self, size):
        self.bench.operate(
            "POST", self.place, f"instanceGroupManagers/{self.name}/resize?size={size}")

    def serves(self, template, size=4):
        """All of it, as the group says, its instances, and those who balance requests over them."""
        group = self.group()
        assert self.versions() == [(template, None)]
        assert self.instances() == {template: size}
        assert group["status"]["isStable"] and group["status"]["versionTarget"]["isReached"]
        assert group["targetSize"] == size
        servers = self.bench.state(self.name)["servers"].values()
        assert {server["revision"] for server in servers} == {template}


@pytest.fixture
def site(tmp_path, bench):
    site = GroupSite(tmp_path / "site", bench)
    site.must("adopt")
    return site


@pytest.fixture
def visitors(site, bench):
    visitors = Visitors(bench.state(site.name)["url"])
    yield visitors
    visitors.stop()
