"""The gate on GitHub (tests/bench/github): a check run with every annotation, and the one comment on a
pull request that another run's decision becomes."""

import json
import re
import subprocess

import pytest

from conftest import SLUICE
from github_bench import ENTERPRISE, REPOSITORY, TOKEN, GithubBench

RULES = 120
FAILURE = '<failure message="&lt;b&gt;@ada">no</failure>'
CONFIG = """\
version: 1
evidence: {tests: junit.xml}
gate: {tests: {failures: 0}}
"""


@pytest.fixture(scope="module", params=[None, ENTERPRISE])
def process(request, tmp_path_factory):
    bench = GithubBench(tmp_path_factory.mktemp("github") / "log", request.param)
    yield bench
    bench.stop()


class Project:
    """A repository with more findings than a runner shows."""

    def __init__(self, folder, bench):
        self.folder, self.bench = folder, bench
        (folder / ".github").mkdir(parents=True)
        (folder / ".github/sluice.yml").write_text(CONFIG)
        (folder / "app.py").write_text("pass\n" * RULES)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=All of it")
        self.sha = self.git("rev-parse", "HEAD")
        bench.begin()
        bench.act("ada", "commit", branch="main", message="All of it", sha=self.sha)
        self.fail(RULES)

    def git(self, *words):
        told = subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", *words],
            cwd=self.folder, check=True, capture_output=True, text=True,
        )
        return told.stdout.strip()

    def fail(self, count):
        """So many of its tests, with names and words that want to be more than text."""
        rows = "".join(
            f'<testcase classname="app" name="rule {n} &lt;b&gt;@ada" file="app.py" line="{n + 1}">'
            f'{FAILURE if n < count else ""}</testcase>' for n in range(RULES))
        (self.folder / "junit.xml").write_text(
            f'<testsuite name="s" tests="{RULES}" failures="{count}">{rows}</testsuite>')

    def run(self, *words, code=0, **more):
        env = {
            **self.bench.environment(), "GITHUB_ACTIONS": "true", "GITHUB_SHA": self.sha,
            "GITHUB_RUN_ID": "77", "PATH": "/usr/bin:/bin", "HOME": str(self.folder), **more,
        }
        done = subprocess.run([SLUICE, *words], cwd=self.folder, env=env, capture_output=True,
                              text=True, timeout=120)
        assert "Sanitizer" not in done.stderr, done.stderr
        assert done.returncode == code, done
        return done

    def clean(self):
        told = self.bench.told()
        assert not (told["violations"] or told["too_fast"] or told["too_early"]), told

    def checks(self):
        return self.bench.api("GET", f"commits/{self.sha}/check-runs?filter=all").tree["check_runs"]

    def annotations(self, check):
        rows = []
        for page in (1, 2, 3):
            path = f"check-runs/{check['id']}/annotations?per_page=100&page={page}"
            rows += self.bench.api("GET", path).tree
        return rows


@pytest.fixture
def project(process, tmp_path):
    return Project(tmp_path / "project", process)


def test_every_annotation_is_in_one_check(project):
    """Whatever the answers say on their way."""
    project.bench.control(faults={
        "checks/create": [{"cut": "after"}],
        "checks/update": [{"after": True, "status": 502}, {"secondary": 1, "status": 403}],
        "checks/list-for-ref": [{"status": 503}],
    })
    project.run("gate", "--check", code=1)
    check, = project.checks()
    rows = project.annotations(check)
    assert len(rows) == RULES and len({row["start_line"] for row in rows}) == RULES
    assert check["status"] == "completed" and check["conclusion"] == "failure", check
    assert re.fullmatch(r"block: [1-9]\d* blocking", check["output"]["title"]), check["output"]["title"]
    assert "@ada" not in check["output"]["summary"] and "<b>" not in check["output"]["summary"]
    project.clean()
    project.fail(0)
    project.bench.quiet()
    project.run("gate", "--check", GITHUB_RUN_ID="78")
    assert {row["conclusion"] for row in project.checks()} == {"failure", "success"}


def test_a_check_whose_creation_was_lost_is_found_among_many_of_its_name(project):
    others = {"as": "ada", "do": "check", "in": REPOSITORY, "times": 130}
    project.bench.control(faults={
        "checks/create": [{"cut": "after"}], "checks/list-for-ref": [{"first": [others]}],
    })
    project.run("gate", "--check", code=1)
    assert len(project.bench.effects("checks/create")) == 1
    changed = {row["path"]["check_run_id"] for row in project.bench.effects("checks/update")}
    assert len(changed) == 1, changed
    mine = project.bench.api("GET", f"check-runs/{changed.pop()}").tree
    assert mine["conclusion"] == "failure" and not mine["external_id"].startswith("ada"), mine
    project.clean()


def test_a_check_that_may_not_be_written_changes_no_decision(project):
    project.bench.control(tokens={TOKEN: {"permissions": {"contents": "read"}}})
    done = project.run("gate", "--check", code=1)
    assert "checks: write" in done.stderr and TOKEN not in done.stderr + done.stdout
    done = project.run("gate", "--check", code=1, GITHUB_TOKEN="")
    assert "there is no token" in done.stderr


# ---- the comment ---------------------------------------------------------------------------------


@pytest.fixture
def pull(project):
    """One from a stranger's fork, and the event of its gate's end."""
    project.bench.act("mallory", "pull", head="fix", title="Fix", from_fork="mallory",
                      commits=[{"message": "Fix"}])
    rows = project.bench.api("GET", "pulls").tree
    project.number, project.head = rows[0]["number"], rows[0]["head"]["sha"]
    project.run("gate", "--decision-file", str(project.folder / "decision.json"), code=1)
    return project


def post(project, *words, code=0, head=None, **more):
    event = {"workflow_run": {
        "id": 5, "event": "pull_request", "head_sha": head or project.head, "head_branch": "fix",
        "html_url": "https://github.com/bench/app/actions/runs/5",
        "head_repository": {"owner": {"login": "mallory"}},
    }}
    path = project.folder / "event.json"
    path.write_text(json.dumps(event))
    return project.run("comment", "--post", "decision.json", *words, code=code,
                       GITHUB_EVENT_NAME="workflow_run", GITHUB_EVENT_PATH=str(path), **more)


def comments(project):
    path = f"issues/{project.number}/comments?per_page=100"
    return project.bench.api("GET", path).tree


def own(project):
    return [one for one in comments(project) if one["user"]["login"] == "github-actions[bot]"]


def test_there_is_one_comment_and_it_is_kept_up(pull):
    pull.bench.act("mallory", "comment", issue=pull.number, body="<!-- sluice:comment:gate -->\nmine")
    pull.bench.control(users={"other[bot]": "Bot"})
    pull.bench.act("other[bot]", "comment", issue=pull.number,
                   body="<!-- sluice:comment:gate -->\nof another robot")
    pull.bench.fault("issues/create-comment", {"after": True, "status": 502})
    post(pull)
    first, = own(pull)
    assert "lock" in first["body"] and "<b>" not in first["body"] and "@ada" not in first["body"]
    writes = len(pull.bench.told()["writes"])
    post(pull)
    assert len(pull.bench.told()["writes"]) == writes, "what is the same is not sent again"
    pull.fail(1)
    pull.run("gate", "--decision-file", str(pull.folder / "decision.json"), code=1)
    pull.bench.quiet()
    pull.bench.fault("issues/update-comment", {"cut": "after"})
    post(pull)
    second, = own(pull)
    assert second["id"] == first["id"] and second["body"] != first["body"]
    mine = [one for one in comments(pull) if one["user"]["login"] == "mallory"]
    assert len(mine) == 1 and mine[0]["body"].endswith("mine")
    other = [one for one in comments(pull) if one["user"]["login"] == "other[bot]"]
    assert len(other) == 1 and other[0]["body"].endswith("another robot")
    person = {"GITHUB_TOKEN": "ghp_ada"}
    pull.bench.control(tokens={"ghp_ada": {"kind": "user", "login": "ada"}})
    pull.bench.fault("graphql", {"status": 403})
    assert "SLUICE_GITHUB_LOGIN" in post(pull, code=2, **person).stderr
    pull.bench.quiet()
    for login in ("ada", ""):
        post(pull, SLUICE_GITHUB_LOGIN=login, **person)
    assert len([one for one in comments(pull) if one["user"]["login"] == "ada"]) == 1
    pull.clean()


def test_the_token_of_another_app_finds_again_what_it_wrote(pull):
    """It looks as a workflow's does; GraphQL knows whose it is."""
    own = "ghs_of_another"
    pull.bench.control(apps={"deployer": {"owner": "bench", "permissions": {"pull_requests": "write"}}})
    pull.bench.control(tokens={own: {"kind": "installation", "login": "deployer[bot]", "permissions": {
        "pull_requests": "write", "issues": "write"}}})
    pull.bench.fault("graphql", {"status": 502}, {"cut": "after"})
    for _ in range(2):
        post(pull, GITHUB_TOKEN=own)
        pull.bench.quiet()
    mine, = [one for one in comments(pull) if "sluice:comment" in one["body"]]
    assert mine["user"]["login"] == "deployer[bot]", mine
    pull.bench.fault("graphql", {"status": 404})  # where there is none: as a workflow's
    post(pull)
    assert len([one for one in comments(pull) if "sluice:comment" in one["body"]]) == 2
    pull.clean()


def test_among_hundreds_of_comments_it_is_found_again(pull):
    post(pull)
    pull.bench.act("mallory", "comment", issue=pull.number, body="first!", times=250)
    pull.fail(1)
    pull.run("gate", "--decision-file", str(pull.folder / "decision.json"), code=1)
    pull.bench.quiet()
    post(pull)
    assert len(pull.bench.effects("issues/create-comment")) == 1
    assert len(pull.bench.effects("issues/update-comment")) == 1
    pull.clean()


def test_what_is_not_the_head_any_more_is_not_shown(pull):
    done = post(pull, head="0" * 40)
    assert "has gone on" in done.stderr and not own(pull)
    event = pull.folder / "event.json"
    text = event.read_text().replace('"fix"', '"other"')
    event.write_text(text)
    done = pull.run("comment", "--post", "decision.json", GITHUB_EVENT_NAME="workflow_run",
                    GITHUB_EVENT_PATH=str(event))
    assert "no open pull request" in done.stderr
    pull.bench.control(tokens={TOKEN: {"permissions": {"pull-requests": "read"}}})
    assert "pull-requests: write" in post(pull, code=1).stderr
    pull.clean()
