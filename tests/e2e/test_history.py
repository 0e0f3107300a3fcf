"""What the ledger knows from before, end to end: baselines and reviews of incidents over several
runs and clones, as a team sees them. Incidents are written as stock git would write them."""

import hashlib
import json
import os
import subprocess
import time

import pytest

from conftest import SLUICE

CONFIG = """version: 1
evidence: {tests: {reports: junit.xml}, on_missing: block}
gate:
  tests: {failures: 0}
  incidents: {review_overdue: block}
incidents: {P2: {review_within: 2d}, reviews: docs/reviews/}
"""
REPORT = '<testsuite name="s" tests="1"><testcase classname="c" name="good"/></testsuite>'
REVIEW = "# INC-1\n\n## Root cause\nx\n\n### TIMELINE\nx\n\n# Prevention:\nx\n"
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")},
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "NO_COLOR": "1",
    "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@t",
}


class Work:
    """A repository with sluice's configuration and a report."""

    def __init__(self, folder):
        self.folder = folder

    def git(self, *words, **more):
        return subprocess.run(["git", *words], cwd=self.folder, env=ENVIRONMENT, check=True,
                              capture_output=True, text=True, **more).stdout

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def commit(self, message="change"):
        self.git("add", "-A", "--", ".", ":!junit.xml")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def run(self, *words, code=0, env=None):
        done = subprocess.run([SLUICE, *words], cwd=self.folder, env={**ENVIRONMENT, **(env or {})},
                              capture_output=True, text=True, timeout=120)
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return done

    def findings(self, *words, code=0):
        decision = json.loads(self.run("gate", "--format", "json", *words, code=code).stdout)
        return {finding["id"]: finding for finding in decision["findings"]}

    def events(self, kind):
        lines = self.run("log", "--all", "--format", "json").stdout.splitlines()
        return [event for event in map(json.loads, lines) if event["type"] == kind]

    def append(self, stream, sequence, kind, body, stamp=1795331395):
        """An event with git's own commands."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(stamp))
        ident = hashlib.md5(f"{stream}{sequence}".encode()).hexdigest()
        event = {"schema": 1, "id": ident, "stream": stream, "sequence": sequence, "time": moment,
                 "type": kind, "actor": {}, "evidence": [], "body": body}
        text = json.dumps(event, indent=1) + "\n"
        path = f"events/{moment[:10].replace('-', '/')}/{stream}/{sequence:08}-{kind}.json"
        blob = self.git("hash-object", "--stdin", input=text).strip()
        message = f"ledger: {kind}\n\nEvent: {ident}\nPath: {path}\nBlob: {blob}\n"
        tip = subprocess.run(["git", "rev-parse", "-q", "--verify", "refs/heads/release-ledger"],
                             cwd=self.folder, capture_output=True, text=True).stdout.strip()
        stream_in = (f"commit refs/heads/release-ledger\ncommitter t <t@t> {stamp} +0000\n"
                     f"data {len(message.encode())}\n{message}\n"
                     + (f"from {tip}\n" if tip else "")
                     + f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n")
        self.git("fast-import", "--quiet", "--force", input=stream_in)


@pytest.fixture
def work(tmp_path):
    work = Work(tmp_path / "work")
    work.folder.mkdir()
    work.git("init", "-q", "-b", "main")
    work.write(".github/sluice.yml", CONFIG)
    work.write("junit.xml", REPORT)
    work.commit("base")
    work.commit("second")
    return work


def test_an_overdue_review_blocks_a_release_and_only_warns_on_a_pull_request(work):
    opened = {"severity": "P2", "opened": "2026-11-22T12:00:00.000Z", "why": "errors"}
    work.append("incident", 1, "incident.opened", opened)
    work.append("incident", 2, "incident.opened", {**opened, "severity": "P3"})
    work.run("verify")
    in_time = work.findings("--at", "2026-11-24T12:00:00Z")
    assert in_time["incidents.reviews"]["message"].endswith("1 is not written yet.")
    overdue = work.findings("--at", "2026-11-24T12:00:01Z", code=1)["incidents.review[INC-1]"]
    assert (overdue["verdict"], overdue["scope"]) == ("block", "environment")
    assert overdue["where"][0]["path"] == "docs/reviews/INC-1.md"
    work.git("checkout", "-q", "-b", "feature")
    work.commit()
    change = work.findings("--at", "2026-11-25T00:00:00Z", "--base", "main")
    assert change["incidents.review[INC-1]"]["verdict"] == "warn"
    # A review is done when the judged commit has it, with all headings.
    work.write("docs/reviews/INC-1.md", REVIEW)
    work.findings("--at", "2026-11-25T00:00:00Z", code=1)
    work.write("docs/reviews/INC-1.md", REVIEW.replace("Root cause", "Cause"))
    work.commit()
    work.findings("--at", "2026-11-25T00:00:00Z", code=1)
    work.write("docs/reviews/INC-1.md", REVIEW)
    work.commit()
    assert "incidents.reviews" in work.findings("--at", "2026-11-25T00:00:00Z")


def test_what_is_recorded_verifies_and_can_be_read(work):
    work.run("gate", "--record", "-q")
    baseline, = work.events("baseline.recorded")
    observed, = work.events("gate.observed")
    decided, = work.events("gate.decided")
    assert baseline["body"]["tests"]["by_result"]["passed"] == ["s › c › good"]
    assert baseline["body"]["decided"] == observed["body"]["decided"] == decided["id"]
    assert "0 of 1 tests failed" in work.run("log").stdout
    work.run("show", baseline["id"])
    assert work.run("verify").stdout.startswith("whole  3 entries")


def test_a_baseline_that_no_decision_carries_is_found_by_verify(work):
    work.run("gate", "--record", "-q")
    body = work.events("baseline.recorded")[0]["body"]
    work.append("baseline", 2, "baseline.recorded", {**body, "decided": "0" * 32})
    done = work.run("verify", code=1)
    assert "rests on a decision of the gate that is not before it" in done.stdout


def test_a_baseline_of_a_blocked_run_is_found_by_verify(work):
    work.write("junit.xml", REPORT.replace("/></", "><failure/></testcase></"))
    work.run("gate", "--record", "-q", code=1)
    observed, = work.events("gate.observed")
    assert observed["body"]["failed"] == ["s › c › good"]
    assert work.events("baseline.recorded") == []
    work.append("baseline", 1, "baseline.recorded", observed["body"])
    assert "a baseline of a run that did not pass" in work.run("verify", code=1).stdout


def test_a_ledger_that_makes_no_sense_is_said_and_never_passes(work):
    work.append("baseline", 1, "baseline.recorded", {"commit": "x", "coverage": {"covered": "all"}})
    findings = work.findings(code=1)
    assert findings["incidents.unknown"]["verdict"] == "block"
    assert "cannot be read" in findings["incidents.unknown"]["message"]
    assert "cannot be read" in work.run("gate", code=1).stderr


def test_the_summary_draws_the_last_runs(work):
    assert "the last" not in work.run("gate", "--format", "markdown").stdout
    for _ in range(2):
        work.run("gate", "--record", "-q")
        work.commit()
    text = work.run("gate", "--format", "markdown").stdout
    assert "failed tests ▅▅▅ 0 → 0" in text and "(the last 2 runs of the default" in text, text


def test_clones_share_the_baseline_through_the_ledgers_remote(work, tmp_path):
    remote = tmp_path / "ledger.git"
    work.git("init", "-q", "--bare", str(remote))
    work.write(".github/sluice.yml",
               CONFIG + f"ledger: {{remote: '{remote}'}}\n")
    work.commit()
    work.commit()
    assert "the baseline of `main` is now" in work.run("gate", "--record").stderr
    work.git("clone", "-q", str(work.folder), str(tmp_path / "other"))
    other = Work(tmp_path / "other")
    other.write("junit.xml", REPORT.replace('name="good"', 'name="else"'))
    other.git("checkout", "-q", "-b", "feature")
    other.commit()
    gone = other.findings("--base", "origin/main")["tests.vanished"]
    assert "s › c › good" in gone["message"]
    # The remote is gone: the local copy is as good as it was, and it is said.
    remote.rename(tmp_path / "away.git")
    done = other.run("gate", "--base", "origin/main")
    assert "tests.vanished" in done.stdout
    assert "remote does not answer" in done.stderr and "local copy" in done.stderr
    # Where there is no copy either, what cannot be judged is a finding.
    other.git("clone", "-q", str(work.folder), str(tmp_path / "third"))
    third = Work(tmp_path / "third")
    third.write("junit.xml", REPORT)
    unknown = third.findings("--base", "HEAD~1")["incidents.unknown"]
    assert unknown["verdict"] == "warn" and "does not answer" in unknown["message"]
    assert third.findings(code=1)["incidents.unknown"]["verdict"] == "block"


def runner(tmp_path, work, event, payload, **more):
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload))
    sha = work.git("rev-parse", "HEAD").strip()
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path),
            "GITHUB_SHA": sha, "GITHUB_ACTOR": "ann", **more}


def test_on_a_runner_the_payload_names_the_default_branch(work, tmp_path):
    work.git("checkout", "-q", "-B", "trunk")
    payload = {"repository": {"default_branch": "trunk"}}
    push = runner(tmp_path, work, "push", payload, GITHUB_REF="refs/heads/trunk")
    assert "the baseline of `trunk` is now" in work.run("gate", "--record", env=push).stderr
    for changed, words in [
        ({"GITHUB_REF": "refs/heads/main"}, "`main` is not the default branch `trunk`"),
        ({"GITHUB_REF": "refs/tags/v1"}, "HEAD is on no branch"),
        ({"GITHUB_SHA": "0" * 40}, "not the one that the workflow runs for"),
    ]:
        assert words in work.run("gate", "--record", env={**push, **changed}).stderr
    assert len(work.events("baseline.recorded")) == 1
    pull = {**payload, "pull_request": {"base": {"sha": push["GITHUB_SHA"]},
                                        "head": {"sha": push["GITHUB_SHA"]}}}
    refused = runner(tmp_path, work, "pull_request", pull, GITHUB_REF="refs/pull/1/merge")
    assert "is not recorded" in work.run("gate", "--record", code=2, env=refused).stderr


def test_a_label_makes_a_pull_request_a_fix(work, tmp_path):
    work.write(".github/sluice.yml", "version: 1\nevidence: {tests: {reports: junit.xml}}\n"
               "gate: {tests: {fix_needs_test: true}}\n")
    work.commit()
    base = work.git("rev-parse", "HEAD").strip()
    work.git("checkout", "-q", "-b", "anything")
    work.commit()
    pull = {"pull_request": {"base": {"sha": base}, "head": {"sha": base},
                             "labels": [{"name": "size/S"}, {"name": "bug"}]}}
    event = runner(tmp_path, work, "pull_request", pull, GITHUB_HEAD_REF="anything")
    assert "This is a fix (label bug)" in work.run("gate", code=1, env=event).stdout
    pull["pull_request"]["labels"].pop()
    runner(tmp_path, work, "pull_request", pull)
    work.run("gate", env=event)
    branch = {**event, "GITHUB_HEAD_REF": "hotfix/cart"}
    assert "This is a fix (branch hotfix/cart)" in work.run("gate", code=1, env=branch).stdout


def test_record_goes_without_base(work):
    done = work.run("gate", "--record", "--base", "HEAD~1", code=2)
    assert "--record is for releases" in done.stderr


def test_flaky_tests_and_timings_of_many_runs_stay_readable(work):
    """Thirty runs: the gate looks at the newest twenty and stays quick."""
    work.run("gate", "--record", "-q")
    body = work.events("gate.observed")[0]["body"]
    for n in range(2, 32):
        work.append("gate", n + 1, "gate.observed", {**body, "flaky": ["s › c › good"]})
    work.run("verify")
    start = time.monotonic()
    work.run("gate")
    assert time.monotonic() - start < 10
