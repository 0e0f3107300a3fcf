"""The workflows that `sluice init --rollout` writes, and those of ours that they call
(.github/workflows/release.yml, resume.yml, rollback.yml), run by act (github.com/nektos/act), offline,
as they stand but for the name of the reports: each run has a workspace of its own, and what goes on in
the next one goes on from the ledger alone. The token that a run asks GitHub with has what the job's
`permissions:` say, and every test ends with nothing refused to it. What act does not enforce
(concurrency, environments) is not shown here; test_workflow_files.py reads what is written of it."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, SLUICE, end
from github_bench import REPOSITORY, GithubBench
from test_people import ME
from test_prometheus import wait_for
from workflow_files import declared, read, token_permissions

ACT = shutil.which("act") or shutil.which(ROOT / "build/act/act")
pytestmark = pytest.mark.skipif(
    not ACT, reason="skipped: act is not installed (tests/run --night makes it where there is Go)"
)

DOWNLOAD = """\
name: download-artifact
inputs: {name: {required: true}, path: {default: "."}}
runs:
  using: composite
  steps:
    - {shell: bash, run: 'mkdir -p "$PLACE"; cp -r "$REPORTS"/. "$PLACE"', env: {PLACE: "${{ inputs.path }}"}}
"""
UPLOAD = """\
name: upload-artifact
inputs: {name: {required: true}, path: {required: true}}
runs:
  using: composite
  steps:
    - {shell: bash, run: 'cp "$WHAT" "$REPORTS"', env: {WHAT: "${{ inputs.path }}"}}
"""
GATE = """\
name: gate
on: {pull_request: }
permissions: {contents: read}
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0}
      - run: cp -r "$REPORTS" reports
"""
HOSTILE = 'nobody can pay"; touch stolen; echo "$(touch stolen)\n--to=v0\n::set-output name=state::done'


def committed(folder):
    git = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message=As it is"], check=True)
    return folder


class Workflows:
    """The site's repository with the callers in it, and what they use."""

    def __init__(self, site, folder):
        self.site, self.folder, self.bench = site, folder, None
        action = folder / "action"
        shutil.copytree(ROOT / ".ci", action / ".ci")
        shutil.copytree(ROOT / ".github", action / ".github")
        shutil.copy(ROOT / "action.yml", action)
        (action / "bin").mkdir()
        name = f"sluice-{os.uname().machine}"
        shutil.copy(SLUICE, action / "bin" / name)
        sums = subprocess.run(["sha256sum", name], cwd=action / "bin", check=True,
                              capture_output=True).stdout
        (action / "bin/SHA256SUMS").write_bytes(sums)
        for name, text in (("download", DOWNLOAD), ("upload", UPLOAD)):
            (folder / name).mkdir()
            (folder / name / "action.yml").write_text(text)
        used = (ROOT / ".github/workflows/release.yml").read_text()
        download = re.search(r"uses: (actions/download-artifact@\w+)", used)[1]
        self.local = {"sluice/sluice@v0": committed(action),
                      download: committed(folder / "download"),
                      "actions/upload-artifact@v4": committed(folder / "upload")}
        site.must("init", "--rollout")  # keeps the configuration that is there
        caller = site.repository / ".github/workflows/sluice-release.yml"
        text = caller.read_text()
        assert "# reports: reports" in text
        text = text.replace("# reports: reports", "reports: reports")
        caller.write_text(text.replace("# reports-path: .", "reports-path: reports"))
        site.scene.git("add", "--all", ".github")
        site.scene.git("commit", "--quiet", "--message=Workflows")
        site.scene.git("push", "--quiet", "origin", "HEAD")
        self.reports = folder / "reports"

    def change(self, patch):
        """A commit whose reports an earlier job has made."""
        self.site.scene.commit(patch)
        self.site.scene.kept.reports(self.site.scene)
        shutil.rmtree(self.reports, ignore_errors=True)
        shutil.move(self.site.repository / "reports", self.reports)

    def start(self, caller, payload=None, event=None, **inputs):
        """By dispatch with these inputs, or by an event, a comment in an issue, with that payload."""
        event = event or ("issue_comment" if payload else "workflow_dispatch")
        file = f".github/workflows/{caller}.yml"
        words = [ACT, event, "-W", file,
                 "-P", "ubuntu-latest=-self-hosted", "--actor", "deployer",
                 "--env", f"REPORTS={self.reports}", "--env", "HOME=" + os.environ["HOME"]]
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "PATH"):
            if os.environ.get(name):
                words += ["--env", f"{name}={os.environ[name]}"]
        if payload:
            (self.folder / "payload.json").write_text(json.dumps(payload))
            words += ["--eventpath", self.folder / "payload.json"]
        if self.bench:
            may = token_permissions(read((self.site.repository / file).read_text()))
            words += ["--secret", f"GITHUB_TOKEN={self.bench.token_of_a_run(may)}"]
            words += ["--env", f"GITHUB_API_URL={self.bench.api_url}"]
            words += ["--env", f"GITHUB_REPOSITORY={REPOSITORY}"]
            words += ["--env", f"GITHUB_WORKFLOW_REF={REPOSITORY}/{file}@refs/heads/main"]
        for name, folder in self.local.items():
            words += ["--local-repository", f"{name}={folder}"]
        for name, value in inputs.items():
            words += ["--input", f"{name}={value}"]
        return subprocess.Popen(
            words, cwd=self.site.repository, env={**os.environ, "XDG_CACHE_HOME": str(self.folder)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )

    def run(self, caller, code=0, payload=None, event=None, **inputs):
        child = self.start(caller, payload, event, **inputs)
        try:
            said, _ = child.communicate(timeout=180)
        except BaseException:
            self.kill(child)
            raise
        assert (child.returncode != 0) == (code != 0), said
        assert "Sanitizer" not in said, said
        return said

    def kill(self, child):
        """It and all that it started, at once: as a runner that is lost."""
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        end(child)


@pytest.fixture
def workflows(site, short_path):
    return Workflows(site, short_path)


@pytest.fixture
def github(site, workflows, tmp_path):
    """GitHub itself, as far as the workflows ask it."""
    bench = GithubBench(tmp_path / "log")
    site.config("incidents:", "github: {poll: 1s}\nincidents:")
    bench.begin(roles={"ada": "write", "eve": "read"})
    workflows.bench = bench
    yield bench
    missing = [words for words in bench.told()["refused"] if words.startswith("403 ")]
    bench.stop()
    assert not missing, missing


def outputs(said, name):
    return re.findall(rf"::set-output:: {name}=(\S+)", said)


def test_a_release_waits_for_a_person_in_one_run_and_goes_on_in_another(site, workflows):
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    workflows.change("2-search")
    said = workflows.run("sluice-release", release="v2")
    assert outputs(said, "decision")[0] == "pass" and "waiting" in outputs(said, "state"), said
    assert outputs(said, "resume-at"), said
    assert site.serving() == {"v1"}
    said = workflows.run("sluice-resume")
    assert "waiting" in outputs(said, "state") and site.serving() == {"v1"}, said
    site.must("approve", "v2-production-1", "--yes")
    said = workflows.run("sluice-resume")
    assert "done" in outputs(said, "state"), said
    assert site.serving() == {"v2"}
    site.must("verify")
    given = next(e for e in site.events() if e["type"] == "rollout.planned")
    assert given["actor"]["login"] == "deployer"


def test_what_the_gate_does_not_let_pass_goes_nowhere(site, workflows):
    workflows.change("2-search")
    shutil.rmtree(workflows.reports)
    workflows.reports.mkdir()
    said = workflows.run("sluice-release", code=1, release="v2")
    assert outputs(said, "decision")[0] == "block" and "Main sluice/sluice" in said, said
    assert site.serving() == {"v1"}
    assert not any(e["type"].startswith("rollout") for e in site.events())


def test_back_by_dispatch_and_the_reason_is_only_a_reason(site, workflows):
    site.go_out("2-search", "v2")
    said = workflows.run("sluice-rollback", reason=HOSTILE)
    assert "rolled-back" in outputs(said, "state"), said
    assert site.serving() == {"v1"}
    assert not list(workflows.folder.rglob("stolen")) and not list(site.repository.rglob("stolen"))
    site.must("verify")
    reasons = [str(e["body"]) for e in site.events() if "nobody can pay" in str(e["body"])]
    assert reasons, "the reason is in the record"


def test_a_run_that_is_lost_in_the_middle_is_finished_by_the_next(site, workflows):
    workflows.change("2-search")
    lost = workflows.start("sluice-release", release="v2")
    try:
        wait_for(lambda: site.serving() == {"v1", "v2"}, "half of it is out", seconds=90)
    finally:
        workflows.kill(lost)
    said = workflows.run("sluice-resume")
    assert "done" in outputs(said, "state"), said
    assert site.serving() == {"v2"}
    site.must("verify")


def sluice_of(workflows):
    """The process of a job's step."""
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].startswith(bytes(workflows.folder)) and words[1:2] == [b"rollout"]:
            return int(folder.name)
    return None


def test_what_a_kill_leaves_is_finished_in_the_same_job(site, workflows):
    """The process alone: the runner goes on to the steps that always run."""
    workflows.change("2-search")
    job = workflows.start("sluice-release", release="v2")
    try:
        wait_for(lambda: site.serving() == {"v1", "v2"}, "half of it is out", seconds=90)
        os.kill(sluice_of(workflows), signal.SIGKILL)
        said, _ = job.communicate(timeout=180)
    finally:
        workflows.kill(job)
    assert job.returncode != 0, said
    assert re.search(r"Success - .*Finish what a kill left", said), said
    assert set(outputs(said, "state")) == {"done"}, said
    assert site.serving() == {"v2"}
    site.must("verify")


def comment(github, who, words):
    """Somebody's, and the event that GitHub starts a workflow with."""
    number = github.act(who, "comment", issue="last", body=words)[0]
    issue = github.api("GET", "issues/1").tree
    one = github.api("GET", f"issues/comments/{number}").tree
    return {"action": "created", "issue": issue, "comment": one}


def test_a_comment_carries_a_release_from_run_to_run(site, workflows, github):
    """Three runs that have nothing in common but the ledger and GitHub; the last one is cancelled in
    its middle, a fourth finishes what it left, and once it is out somebody wants it back."""
    site.config("    steps:", "    approval: {from: [ada]}\n    steps:", "step_bake: 3s",
                "step_bake: 8s")
    workflows.change("2-search")
    for sha in site.scene.git("log", "--format=%H", "--reverse").split():
        github.act("dora", "commit", branch="main", message="As it is", sha=sha)
    said = workflows.run("sluice-release", release="v2")
    assert "waiting" in outputs(said, "state"), said
    issue = github.api("GET", "issues/1").tree
    assert issue["title"].startswith("⏸ v2 in production"), issue
    done = {row["operation"] for row in github.told()["writes"]}
    assert {"checks/create", "repos/create-deployment", "issues/create"} <= done, "each right is used"
    said = workflows.run("sluice-resume", payload=comment(github, "eve", "/approve"))
    assert "waiting" in outputs(said, "state") and site.serving() == {"v1"}, said
    cancelled = workflows.start("sluice-resume", comment(github, "ada", "/approve"))
    try:
        wait_for(lambda: site.serving() == {"v1", "v2"}, "half of it is out", seconds=90)
    finally:
        workflows.kill(cancelled)
    said = workflows.run("sluice-resume")
    assert "done" in outputs(said, "state") and site.serving() == {"v2"}, said
    deployment, = github.api("GET", "deployments").tree
    states = github.api("GET", f"deployments/{deployment['id']}/statuses").tree
    assert states[0]["state"] == "success", states
    assert github.api("GET", "issues/1").tree["state"] == "closed"
    later = comment(github, "ada", "/rollback nobody finds anything")
    said = workflows.run("sluice-resume", payload=later)
    assert "Main sluice/sluice" not in said and site.serving() == {"v2"}, said
    said = workflows.run("sluice-rollback", payload=later)
    assert "rolled-back" in outputs(said, "state") and site.serving() == {"v1"}, said
    told = github.told()
    assert not told["violations"] and not told["too_early"], told
    site.must("verify")


def test_a_comment_elsewhere_wakes_nothing(site, workflows, github):
    github.act("ada", "issue", title="How do I sign up?", body="?")
    for workflow in ("sluice-resume", "sluice-rollback"):
        said = workflows.run(workflow, payload=comment(github, "ada", "/rollback"))
        assert "Main sluice/sluice" not in said, said


def test_a_pull_request_is_judged_and_told(site, workflows, github):
    """As `sluice init` writes it, but for how the tests are run: the gate, which asks nobody, then, by
    its end, the comment."""
    written = (site.repository / ".github/workflows/sluice.yml").read_text()
    gate = site.repository / ".github/workflows/sluice.yml"
    gate.write_text(GATE + written[written.index("      - id: gate"):])
    site.scene.git("commit", "--quiet", "--all", "--message=Gate")
    base = site.scene.git("rev-parse", "HEAD").strip()
    workflows.change("2-search")
    head = site.scene.git("rev-parse", "HEAD").strip()
    github.act("mallory", "pull", head="fix", title="Fix", from_fork="mallory",
               commits=[{"message": "Fix", "sha": head}])
    pull, = github.api("GET", "pulls").tree
    assert pull["head"]["sha"] == head, pull
    before = github.told()["requests"]
    said = workflows.run("sluice", event="pull_request", payload={"pull_request": {
        "number": pull["number"], "head": {"sha": head, "ref": "fix"},
        "base": {"sha": base, "ref": "main"}}})
    assert outputs(said, "decision") and github.told()["requests"] == before, said
    workflows.run("sluice-comment", event="workflow_run", payload={"workflow_run": {
        "id": 5, "event": "pull_request", "head_sha": head, "head_branch": "fix",
        "html_url": "https://github.com/bench/app/actions/runs/5",
        "head_repository": {"owner": {"login": "mallory"}, "full_name": "mallory/app"}}})
    said, = github.api("GET", f"issues/{pull['number']}/comments").tree
    assert said["user"]["type"] == "Bot" and "sluice:comment" in said["body"], said
    assert not github.violations()


# ---- the page ------------------------------------------------------------------------------------

PAGE = ROOT / "actions/github/start.md"
BLOCK = re.compile(r"```(yaml|sh|)\n(.+?)```", re.S)
MINE = "ghp_mine"


def page_for(configuration, old):
    """What the page adds to the configuration, with this scene's machines in place of its own."""
    target = re.search(r"(?m)^  web:\n(?:    .+\n)+", old)[0]
    added = re.sub(r"(?m)^  web:\n(?:    .+\n)+", lambda _: target, configuration, count=1)
    for was, now in (
        ("http://${host}:8000/courses/", "http://127.0.0.1:${port}/courses/"),
        ("every: 5s, requests: 20", "every: 1s, requests: 20"),
        ("step_bake: 10m", "step_bake: 6s"), (" bake: 30m", " bake: 6s"),
        ("github: {", "github: {poll: 1s, "),
    ):
        assert was in added, was
        added = added.replace(was, now)
    return added


def test_from_zero_word_for_word(site, workflows, github):
    """The commands and the files of actions/github/start.md, in their order."""
    blocks = BLOCK.findall(PAGE.read_text())
    lines = [line for kind, text in blocks if kind == "sh" for line in text.splitlines()]
    added, = [text for kind, text in blocks if kind == "yaml"]
    comment_words, = [text.strip() for kind, text in blocks if kind == ""]
    file = site.repository / ".github/sluice.yml"
    old = file.read_text()
    rollback = site.repository / ".github/workflows/sluice-rollback.yml"
    inputs = declared(read(rollback.read_text()), "workflow_dispatch")
    for path in (site.repository / ".github").rglob("*.yml"):
        path.unlink()
    (site.repository / "risk-register.yml").unlink()
    site.scene.kept.reports(site.scene)
    for path in (site.repository / "reports").iterdir():  # where the tests of a newcomer put them
        shutil.copy(path, site.repository)
    github.control(tokens={MINE: {"kind": "user", "login": "ben"}}, repositories={
        REPOSITORY: {"workflows": {"sluice-rollback.yml": inputs}, "roles": {"ben": "write"}}})
    mine = {"GH_TOKEN": MINE, "GITHUB_TOKEN": "", "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": github.api_url}
    said = {}
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "sluice", line
        if words[1] == "rollback":
            release_by_comment(site, workflows, github, comment_words)
        if words[1] == "check":
            text = file.read_text().replace("[generated]", '[generated, "**/tests.py"]')
            file.write_text(text + page_for(added, old))
        said[words[1]] = site.must(*words[1:], env=mine).out
        if words[1] == "check":
            caller = site.repository / ".github/workflows/sluice-release.yml"
            caller.write_text(caller.read_text().replace("# reports: reports", "reports: reports"))
            site.scene.git("add", "--all", ".github", "risk-register.yml")
            site.scene.git("commit", "--quiet", "--message=sluice")
            site.scene.git("push", "--quiet", "origin", "HEAD")
    assert said["init"].count("wrote") == 7, said["init"]
    assert "weak" in said["doctor"] and "bad" not in said["doctor"].split(), said["doctor"]
    sent, = github.effects("actions/create-workflow-dispatch")
    workflows.run("sluice-rollback", **sent["body"]["inputs"])
    assert site.serving() == {"v1"}
    site.must("verify")


def release_by_comment(site, workflows, github, words):
    workflows.change("2-search")
    for sha in site.scene.git("log", "--format=%H", "--reverse").split():
        github.act("dora", "commit", branch="main", message="As it is", sha=sha)
    said = workflows.run("sluice-release", release="v2")
    assert "waiting" in outputs(said, "state"), said
    said = workflows.run("sluice-resume", payload=comment(github, "ada", words))
    assert "done" in outputs(said, "state") and site.serving() == {"v2"}, said
    assert github.api("GET", "issues/1").tree["state"] == "closed"
