"""A rollout on GitHub (tests/bench/github): its deployment, the issue in which people answer, and what
becomes of both when answers are lost, limits are met, strangers shout and processes die."""

import json
import os
import pwd
import re
import shlex
import signal
import subprocess

import pytest

from conftest import end
from github_bench import ENTERPRISE, EVERYTHING, REPOSITORY, TOKEN, GithubBench
from test_hostile_texts import markdown_is_ours
from test_prometheus import wait_for

STEPS = "    steps:"
WRITE = {"ada": "write", "ben": "write", "cleo": "write", "eve": "read"}
NAME = "v2-production-1"
US = "github-actions[bot]"


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    bench = GithubBench(tmp_path_factory.mktemp("github") / "log")
    yield bench
    bench.stop()


class Github:
    """The bench, and sluice as a workflow's step would run it."""

    def __init__(self, bench, site):
        self.bench, self.site = bench, site
        self.bench.begin(roles=WRITE)

    def commit(self, author="dora", message="Search", before="ada", earlier=(), **last):
        """The release's commits, as GitHub knows them; `earlier` is what is special of those before
        the last, the newest at the end."""
        *shas, newest = self.site.scene.git("log", "--format=%H", "--reverse").split()
        special = [{}] * (len(shas) - len(earlier)) + list(earlier)
        for sha, more in zip(shas, special, strict=True):
            self.bench.act(before, "commit", **{"branch": "main", "message": "Before", "sha": sha, **more})
        self.bench.act(author, "commit", branch="main", message=message, sha=newest, **last)

    def environment(self, token=TOKEN, **more):
        return {
            **self.bench.environment(token), "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "deployer",
            "GITHUB_RUN_ID": "77", **more,
        }

    def run(self, *words, code=0, **more):
        return self.site.must(*words, code=code, env=self.environment(**more))

    def deployments(self):
        rows = []
        for one in self.bench.api("GET", "deployments?per_page=100").tree:
            states = self.bench.api("GET", f"deployments/{one['id']}/statuses").tree
            rows.append((one["environment"], one["payload"],
                         [(s["state"], s["description"]) for s in reversed(states)]))
        return rows

    def states(self):
        (_, _, states), = self.deployments()
        return [state for state, _ in states]

    def issues(self):
        return self.bench.api("GET", "issues?state=all&per_page=100").tree

    def comments(self):
        return self.bench.api("GET", "issues/1/comments?per_page=100").tree

    def replies(self, comment):
        return [one["body"] for one in self.comments() if f":re-{comment} -->" in one["body"]]

    def reactions(self, comment):
        rows = self.bench.api("GET", f"issues/comments/{comment}/reactions").tree
        return [(row["user"]["login"], row["content"]) for row in rows]

    @staticmethod
    def address(comment):
        return f"https://github.example/{REPOSITORY}/issues/1#issuecomment-{comment}"

    def say(self, who, words):
        return self.bench.act(who, "comment", issue="last", body=words)[0]

    def clean(self):
        told = self.bench.told()
        assert not told["violations"], told["violations"]
        assert not told["too_fast"], told["too_fast"]
        assert not told["too_early"], told["too_early"]
        self.site.must("verify")


@pytest.fixture
def github(process, site):
    site.config("incidents:", "github: {poll: 1s}\nincidents:")
    return Github(process, site)


def waits(site, *who, **rule):
    names = ", ".join(who)
    more = "".join(f", {name}: {value}" for name, value in rule.items())
    site.config(STEPS, f"    approval: {{from: [{names}]{more}}}\n{STEPS}")


def at_once(site):
    """Where how it goes out is not what a test is about."""
    site.config(
        "steps: [50%, 100%]", "steps: [100%]", "step_bake: 3s", "step_bake: 1s",
        "    bake: 2s", "    bake: 1s",
        "every: 1s, requests: 20}", "every: 1s, requests: 20, max: 5%}",
    )


def with_an_app(site, github, **members):
    """An app that may ask who belongs to @bench/release; what its runs have in their environment."""
    app = github.bench.control(apps={"sluice": {"owner": "bench", "permissions": {
        **{k.replace("-", "_"): v for k, v in EVERYTHING.items()}, "members": "read"}}},
        teams={"bench/release": members})["apps"]["sluice"]
    site.config(
        "github: {poll: 1s}",
        f'env: [APP_KEY]\ngithub: {{poll: 1s, app: {{id: "{app["id"]}", key: "${{env.APP_KEY}}"}}}}')
    return {"APP_KEY": app["key"], "token": ""}


def answered(github, number=-1):
    return github.comments()[number]["body"]


def test_an_approval_by_comment_carries_it_from_run_to_run(site, github):
    waits(site, "ada", "ben", count=2)
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", "--wait=suspend")
    issue, = github.issues()
    assert issue["title"] == "⏸ v2 in production at 0 %: waiting for you", issue["title"]
    assert github.states() == ["queued"]
    question, = github.comments()
    assert "@ada @ben" in question["body"] and "needs 2 of you" in question["body"]
    assert "gate **pass**, risk " in issue["body"] and "Way back" in issue["body"]
    touched = issue["body"].split("**Critical paths changed**")[1].split("- **")[0]
    assert "risk R-5 " in touched and "<code>courses/views.py</code>" in touched, issue["body"]
    assert "**Migrations** no migration" in issue["body"], issue["body"]
    assert "**Reach** web (from v1): 50 % then 100 % of its traffic" in issue["body"], issue["body"]
    assert f"/{REPOSITORY}/deployments/production)" in issue["body"], issue["body"]

    github.say("eve", "/approve")
    github.say("ada", "/approve  looks right")
    github.run("resume")
    github.say("ada", "/status")
    github.run("resume")
    assert site.serving() == {"v1"}
    assert "Agreed: 1 of 2" in answered(github), github.comments()
    github.say("ben", "/approve")
    github.run("resume")
    assert site.serving() == {"v2"}
    assert github.states()[0] == "queued" and github.states()[-1] == "success"
    assert github.states().count("success") == 1
    issue, = github.issues()
    assert issue["state"] == "closed" and issue["title"].startswith("✅"), issue
    assert "50 % → **100 %**" in issue["body"], issue["body"]
    assert "only who may write" in "".join(c["body"] for c in github.comments())
    answers = [e for e in site.events() if e["type"] == "approval.answered"]
    assert [e["actor"]["login"] for e in answers] == ["ada", "ben"], answers
    assert answers[0]["body"]["comment"] == "looks right"
    assert "issuecomment" in answers[0]["body"]["said_at"]
    github.clean()


def test_an_approval_is_taken_back_before_enough_have_agreed(site, github):
    waits(site, "ada", "ben", count=2)
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", "--wait=suspend")
    github.say("ben", "/withdraw")
    github.say("ada", "/approve")
    github.run("resume")
    assert "ben has approved nothing" in answered(github), github.comments()
    github.say("ada", "/withdraw I have looked at the wrong one")
    github.say("ben", "/approve")
    github.run("resume")
    assert site.serving() == {"v1"} and "1 agreed" in site.must("status", "v2-production-1").out
    github.say("ada", "/deny it locks the table")  # whoever has changed their mind may also say no
    github.run("resume", code=1)
    assert site.serving() == {"v1"} and github.states()[-1] == "inactive"
    kinds = [e["type"] for e in site.events() if e["type"].startswith(("approval.", "answer."))]
    assert kinds.count("approval.given") == 2 and kinds.count("approval.withdrawn") == 1, kinds
    github.clean()


def test_answers_that_are_lost_double_nothing(site, github):
    """Every write fails in its own way: with its effect, without, in the middle, by a limit."""
    waits(site, "ada")
    site.release("2-search")
    github.commit()
    after = {"after": True, "status": 502}
    github.bench.control(faults={
        "repos/create-deployment": [after],
        "repos/create-deployment-status": [{"cut": "after"}, {"status": 502}, after],
        "issues/create": [{"cut": "after"}],
        "issues/create-comment": [after, {"secondary": 2, "status": 403}],
        "issues/update": [after, {"cut": "before"}],
        "reactions/create-for-issue-comment": [{"cut": "after"}],
        "issues/list-comments": [{"skip": 1, "status": 503}, {"malformed": True}],
    })
    github.run("rollout", "v2", "--wait=suspend")
    github.run("resume")
    github.say("ada", "/approve")
    github.run("resume")
    github.run("resume")
    assert site.serving() == {"v2"}
    assert len(github.deployments()) == 1 and len(github.issues()) == 1
    questions = [c for c in github.comments() if "may v2 go" in c["body"]]
    assert len(questions) == 1, questions
    assert len([c for c in github.comments() if ":end -->" in c["body"]]) == 1
    assert github.states()[-1] == "success" and github.states().count("success") == 1
    assert github.issues()[0]["state"] == "closed"
    answers = [e for e in site.events() if e["type"] == "approval.answered"]
    assert len(answers) == 1
    github.clean()


def test_what_turns_bad_is_a_failure_and_then_inactive(site, github):
    site.go_out("2-search", "v2")
    site.release("3-recommend")
    github.commit()
    github.run("rollout", "v3", code=1)
    assert site.serving() == {"v2"}
    (place, payload, states), = github.deployments()
    assert place == "production" and payload == {"sluice": "v3-production-1"}
    assert [s for s, _ in states][-2:] == ["failure", "inactive"], states
    assert "Taken back to v2" in states[-1][1], states
    github.clean()


def test_an_incident_is_an_issue_that_asks_for_its_review(site, github):
    site.go_out("2-search", "v2")
    site.config("on_rollback: P2", "on_rollback: P2, P2: {acknowledge: 15m, resolve: 4h}",
                "every: 1s, requests: 20}", "every: 1s, requests: 20, runbook: docs/slow.md}")
    site.release("3-recommend")
    github.commit()
    github.run("rollout", "v3", code=1)
    issue, = github.issues()
    assert issue["title"].startswith("INC-1 P2: v3 was taken back in production: "), issue["title"]
    assert [label["name"] for label in issue["labels"]] == ["incident"]
    assert "@deployer" in issue["body"] and "Timeline" in issue["body"], issue["body"]
    assert "rollout.rolled-back" in issue["body"] or "rolled" in issue["body"]
    assert "**Acknowledge** by" in issue["body"] and "**Review** by" in issue["body"]
    assert "docs/slow.md" in issue["body"], issue["body"]
    github.run("resume")
    assert not github.comments()
    github.bench.act("ada", "close", issue=issue["number"])
    github.run("resume")
    github.run("resume")
    asked, = github.comments()
    assert "docs/incidents/INC-1.md" in asked["body"] and "## Root cause" in asked["body"]
    assert len(github.issues()) == 1
    github.clean()


def test_what_a_host_says_stays_text_in_issue_and_deployment(site, github):
    """What a command prints as it fails is the reason that everybody reads."""
    said = "</details><img src=x onerror=alert(1)> @octocat #1 ![x](//y.example) ::error::x :smile: \x1b[2J"
    script = site.scene.directory / "bin/fragile"
    script.write_text(
        f"#!/bin/sh\ncase $(cat current/RELEASE) in v2*) echo {shlex.quote(said)} >&2; exit 1; esac\n"
        f'exec "{site.scene.directory}/bin/host" restart\n')
    script.chmod(0o755)
    site.config("bin/host restart", "bin/fragile")
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", code=1)
    issue, = github.issues()
    assert "onerror" in issue["body"] and "[2J" in issue["body"], issue
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", issue["title"] + issue["body"]), issue
    marker, _, body = issue["body"].partition("\n")
    folded = ("<details><summary>Timeline</summary>", "</details>")
    assert all(body.count(tag) == 1 for tag in folded), body
    body = body.replace("@deployer", "deployer").replace("- [ ] ", "- ")
    body = re.sub(r"T\d\d:\d\d(:\d\d)?", "", body)
    for tag in folded:
        body = body.replace(tag, "")
    markdown_is_ours(body.encode(), [], strong="P\\d|Owner|Rollout|Acknowledge|Resolve|Review")
    (_, _, states), = github.deployments()
    assert any("onerror" in words for _, words in states), states
    assert not any(re.search(r"[\x00-\x1f]", words) for _, words in states), states
    github.clean()


def test_a_live_rollout_hears_comments(site, github):
    site.name_a_watcher()
    site.config("step_bake: 3s", "step_bake: 60s")
    waits(site, "ada")
    site.release("2-search")
    github.commit()
    child = site.start("rollout", "v2", "--wait=block", env=github.environment())
    try:
        wait_for(github.issues, "an issue")
        wait_for(github.comments, "a question")
        github.say("ada", "/approve")
        wait_for(lambda: site.serving() == {"v1", "v2"}, "the first step")
        github.say("eve", "/rollback I do not like it")
        github.say("ben", "/hold what is that")
        wait_for(lambda: github.issues()[0]["title"].startswith("✋"), "held")
        github.say("ben", "/status")
        wait_for(lambda: "Phase: held" in "".join(c["body"] for c in github.comments()), "status")
        github.say("ben", "/promote")
        wait_for(lambda: "it needs a reason" in answered(github), "a reason is asked for")
        github.say("ben", "/rollback it is slow")
        out, err = child.communicate(timeout=60)
        assert child.returncode == 1, err
    finally:
        end(child)
    assert site.serving() == {"v1"}
    assert github.issues()[0]["title"].startswith("↩") and github.states()[-1] == "inactive"
    steered = [e for e in site.events() if e["type"] == "steering.given"]
    assert [(e["actor"]["login"], e["body"]["steer"]) for e in steered] == [
        ("ben", "hold"), ("ben", "abort")]
    github.clean()


def test_who_does_not_count(site, github):
    """The author, a co-author, who is not named, who has edited, a robot, who quotes."""
    waits(site, "ada", "ben", "dora", prevent_self_review="true")
    site.release("2-search")
    github.commit(author="dora", message="Search\n\nCo-authored-by: Ada <7+ada@users.noreply.github.com>")
    github.bench.control(
        repositories={REPOSITORY: {"roles": {"dora": "write"}}}, users={"robot": "Bot"},
    )
    github.run("rollout", "v2", "--wait=suspend")
    for who in ("dora", "ada", "cleo"):
        github.say(who, "/approve")
    edited = github.say("ben", "nothing")
    github.bench.act("ben", "edit", comment=edited, body="/approve")
    github.say("robot", "/approve")
    github.say("cleo", "> /approve\n\nsomebody said")
    github.run("resume")
    replies = "\n".join(c["body"] for c in github.comments() if "does not count" in c["body"])
    assert "@dora" in replies and "@ada" in replies and r"prevent\_self\_review" in replies, replies
    assert "not among those" in replies and "edited" in replies, replies
    assert "robot" not in replies and replies.count("@cleo") == 1, replies
    github.run("resume")
    assert len([c for c in github.comments() if "does not count" in c["body"]]) == 4
    assert not [e for e in site.events() if e["type"] == "approval.answered"]
    github.clean()


def test_a_login_is_the_same_in_any_case(site, github):
    """As the configuration names it, and as a commit names its co-author."""
    waits(site, "ADA", "Ben", prevent_self_review="true")
    site.release("2-search")
    github.commit(message="Search\n\nCo-authored-by: A <7+Ada@users.noreply.github.com>")
    github.run("rollout", "v2", "--wait=suspend")
    github.say("ada", "/approve")
    github.run("resume")
    assert site.serving() == {"v1"} and r"prevent\_self\_review" in answered(github)
    github.say("ben", "/approve")
    github.run("resume")
    assert site.serving() == {"v2"}
    github.clean()


def test_who_wrote_an_earlier_commit_of_it_approves_nothing_in_a_terminal_either(site, github):
    me = pwd.getpwuid(os.geteuid()).pw_name
    site.go_out("2-search", "v2")
    site.release("3-recommend")
    site.scene.git("commit", "--quiet", "--amend", "--no-edit", "--author", f"Me <{me}@learn.example>")
    site.scene.git("push", "--quiet", "--force", "origin", "HEAD")
    waits(site, me, prevent_self_review="true")
    site.decide()
    github.run("rollout", "v3", "--wait=suspend")
    refused = site.must("approve", "v3-production-1", "--yes", code=1)
    assert "wrote or pushed one of its commits" in refused.err, refused
    assert not [e for e in site.events() if e["type"] == "approval.answered"]
    github.clean()


def test_a_clone_that_lacks_commits_of_it_cannot_say_who_may_approve(site, github, tmp_path):
    me = pwd.getpwuid(os.geteuid()).pw_name
    waits(site, me, prevent_self_review="true")
    site.release("2-search")
    site.release("3-recommend")
    github.run("rollout", "v3", "--wait=suspend")
    clone = tmp_path / "clone"
    origin = site.scene.git("remote", "get-url", "origin").strip()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{origin}", clone], check=True)
    refused = site.must("-C", clone, "approve", "v3-production-1", "--yes", code=1)
    assert "git fetch --unshallow" in refused.err, refused
    site.must("approve", "v3-production-1", "--yes")
    github.clean()


def test_a_decision_of_another_branch_lets_nothing_go(site, github):
    """Also where no workflow is named: who may push a branch or a tag would decide."""
    sha = site.release("2-search")
    github.commit()
    workflow = f"{REPOSITORY}/.github/workflows/any.yml@{{}}"
    for ref in ("refs/heads/feature", "refs/tags/v2", "refs/heads/main"):
        site.scene.kept.reports(site.scene)
        github.run("gate", "--record", GITHUB_WORKFLOW_REF=workflow.format(ref), GITHUB_REF=ref,
                   GITHUB_SHA=sha)
        right = ref == "refs/heads/main"
        done = github.run("rollout", "v2", code=0 if right else 1)
        assert right or "only those of workflows on `main` count" in done.err, done
    assert site.serving() == {"v2"}
    github.clean()


def test_who_pushed_it_or_is_named_by_some_address_of_theirs_is_an_author(site, github):
    """And who pressed the button of a merge is none, nor who pushed what comes later."""
    site.go_out("2-search", "v2")
    waits(site, "ada", "ben", "cleo", "fred", prevent_self_review="true", count=2)
    site.release("3-recommend")
    message = "More\n\nCo-authored-by: Ada <ada@corp.example>\nCo-authored-by: X <x@y.example>"
    github.bench.control(repositories={REPOSITORY: {"roles": {"fred": "write", "dora": "write"}}})
    github.bench.act("ada", "commit", message="Long ago", branch="main", email="ada@corp.example")
    github.commit(before="dora", message=message, earlier=[{"pusher": "ben"}], pusher="cleo",
                  activity="pr_merge")
    github.bench.act("fred", "commit", branch="main", message="Later")
    github.run("rollout", "v3", "--wait=suspend")
    for who in ("ada", "ben"):
        github.say(who, "/approve")
    github.run("resume")
    replies = [c["body"] for c in github.comments() if r"prevent\_self\_review" in c["body"]]
    assert len(replies) == 2 and "@ada" in replies[0] and "@ben" in replies[1], github.comments()
    for who, words in (("cleo", "/approve I have only merged it"), ("fred", "/deny mine is not in it")):
        github.say(who, words)
        github.run("resume", code=1 if who == "fred" else 0)
    answers = [e for e in site.events() if e["type"] == "approval.answered"]
    assert [e["actor"]["login"] for e in answers] == ["cleo", "fred"], github.comments()
    github.clean()


def test_who_pushed_past_the_release_has_pushed_it(site, github):
    """Its commit is in the middle of what somebody pushed; a branch was made of it since."""
    site.go_out("2-search", "v2")
    waits(site, "ben", "cleo", prevent_self_review="true")
    site.release("3-recommend")
    github.commit(before="dora", unpushed=True)
    github.bench.act("fred", "commit", branch="main", message="Later", pusher="ben")
    github.bench.act("cleo", "commit", branch="main", message="Later still")
    github.run("rollout", "v3", "--wait=suspend")
    for who in ("ben", "cleo"):
        github.say(who, "/deny")
    github.run("resume", code=1)
    answers = [e for e in site.events() if e["type"] == "approval.answered"]
    assert [e["actor"]["login"] for e in answers] == ["cleo"], github.comments()
    github.clean()


def test_where_what_was_pushed_is_not_listed_nobody_answers_here(site, github):
    waits(site, "ben", prevent_self_review="true")
    site.release("2-search")
    github.commit(before="dora")
    github.run("rollout", "v2", "--wait=suspend")
    github.say("ben", "/approve")
    github.bench.fault("repos/list-activities", {"status": 404})
    github.run("resume")
    assert "not all who wrote" in answered(github) and site.serving() == {"v1"}, answered(github)
    github.clean()


def test_while_not_all_authors_are_known_nobody_answers_here(site, github):
    """The history was rewritten: GitHub has nothing to compare with."""
    site.go_out("2-search", "v2")
    waits(site, "ben", prevent_self_review="true")
    site.release("3-recommend")
    github.commit()
    github.run("rollout", "v3", "--wait=suspend")
    github.say("ben", "/approve")
    github.bench.fault("repos/compare-commits-with-basehead", {"status": 404})
    github.run("resume")
    assert "not all who wrote" in answered(github) and site.serving() == {"v2"}, answered(github)
    github.clean()


def test_a_team_answers_where_there_is_an_app(site, github):
    key = with_an_app(site, github, cleo="member")
    waits(site, '"@bench/release"')
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", "--wait=suspend", **key)
    github.say("ben", "/approve")
    github.say("cleo", "/approve")
    github.run("resume", **key)
    assert site.serving() == {"v2"}
    answer, = [e for e in site.events() if e["type"] == "approval.answered"]
    assert answer["actor"]["login"] == "cleo" and answer["body"]["teams"] == ["@bench/release"]
    github.clean()


def test_a_permission_that_is_missing_is_named_and_nothing_waits_for_it(site, github):
    github.bench.control(tokens={TOKEN: {"permissions": {"contents": "write"}}})
    site.release("2-search")
    github.commit()
    done = github.run("rollout", "v2")
    assert "deployments: write" in done.err, done.err
    assert site.serving() == {"v2"} and not github.bench.effects("repos/create-deployment")


def test_without_issues_it_waits_all_the_same_and_a_terminal_answers(site, github):
    me = pwd.getpwuid(os.geteuid()).pw_name
    github.bench.control(tokens={TOKEN: {"permissions": {"contents": "write", "deployments": "write"}}})
    waits(site, me)
    site.release("2-search")
    github.commit()
    done = github.run("rollout", "v2", "--wait=suspend")
    assert "issues: write" in done.err and github.states() == ["queued"], done.err
    site.must("approve", "v2-production-1", "--yes")
    github.run("resume")
    assert site.serving() == {"v2"} and github.states()[-1] == "success"
    assert not github.bench.effects("issues/create")


def test_a_flood_of_comments_hides_no_approval(site, github):
    waits(site, "ada")
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", "--wait=suspend")
    github.bench.act("eve", "comment", issue="last", body="/approve me", times=230)
    github.say("ada", "/approve")
    github.bench.act("eve", "comment", issue="last", body="/deny me", times=120)
    github.run("resume")
    assert site.serving() == {"v2"} and github.states()[-1] == "success"
    github.clean()


def test_what_a_killed_process_left_the_next_one_shows(site, github):
    site.release("2-search")
    github.commit()
    child = site.start("rollout", "v2", env=github.environment())
    try:
        wait_for(lambda: github.deployments() and github.states(), "a deployment")
        os.kill(child.pid, signal.SIGKILL)
    finally:
        end(child)
    github.run("resume")
    assert site.serving() == {"v2"}
    assert github.states()[-1] == "success" and len(github.deployments()) == 1
    github.clean()


def test_a_rollback_is_started_from_a_laptop_once(site, github):
    """With a token of one's own, no credentials of the cloud, and an answer that is lost."""
    mine = "ghp_ben"
    github.bench.control(
        repositories={REPOSITORY: {"workflows": {"sluice-rollback.yml": {
            "stage": {}, "reason": {"required": True}, "to": {}}}}},
        tokens={mine: {"kind": "user", "login": "ben", "permissions": {
            "actions": "write", "metadata": "read"}}},
    )
    env = {
        "GITHUB_API_URL": github.bench.api_url, "GITHUB_REPOSITORY": REPOSITORY,
        "GH_TOKEN": mine, "GITHUB_TOKEN": "", "GITHUB_ACTIONS": "",
    }
    words = ["rollback", "--via", "github", "--reason", "nobody can pay; $(touch stolen)"]
    done = site.must(*words, "--workflow", "none.yml", "--yes", code=2, env=env)
    assert "has no workflow none.yml" in done.err, done
    assert "add --yes" in site.must(*words, code=2, env=env).err
    github.bench.fault("actions/create-workflow-dispatch", {"after": True, "status": 502})
    done = site.must(*words, "--yes", "--to", "v1", env=env)
    assert "/actions/runs/" in done.out, done
    sent, = github.bench.effects("actions/create-workflow-dispatch")
    assert sent["body"]["inputs"] == {"reason": words[-1], "to": "v1"}, sent
    assert not github.bench.violations()
    github.bench.control(tokens={mine: {"kind": "user", "login": "ben", "permissions": {
        "actions": "read", "metadata": "read"}}})
    done = site.run(*words, "--yes", env=env)
    assert done.code != 0 and "actions: write" in done.err, done


def test_the_doctor_looks_at_what_github_enforces(site, github):
    waits(site, "ada", "eve")
    done = github.run("doctor", code=1)
    assert "weak     branch main: no check is required" in done.out, done
    assert "weak     branch release-ledger: the record may be rewritten by a forced push and" in done.out
    assert "bad      stage production: eve is asked for an approval and cannot" in done.out, done
    assert "weak     decisions: every workflow of the default branch" in done.out, done
    site.config("github: {poll: 1s}", "github: {poll: 1s, decided_by: sluice-release.yml}")
    assert "ada is asked" not in done.out and "unknown  environment production" in done.out, done
    github.bench.control(repositories={REPOSITORY: {"rulesets": [
        {"name": "main", "rules": [{"type": "required_status_checks", "parameters": {
            "required_status_checks": [{"context": "gate"}],
            "strict_required_status_checks_policy": False}}]},
        {"name": "ledger", "branches": ["refs/heads/release-ledger"],
         "rules": [{"type": "deletion"}, {"type": "non_fast_forward"}]},
    ], "roles": {"eve": "write"}, "environments": {"production": {"reviewers": ["ada"]}}}})
    done = github.run("doctor")
    assert "these checks are required: `gate`" in done.out and "weak" not in done.out, done
    assert "neither rewritten nor deleted" in done.out and "GitHub itself asks ada before" in done.out and "/deployments/" in done.out, done
    assert not github.bench.told()["writes"], "a doctor changes nothing"
    github.clean()


def test_only_the_named_workflow_decides(site, github):
    site.config("github: {poll: 1s}", "github: {poll: 1s, decided_by: release.yml}")
    sha = site.release("2-search")
    github.commit()
    assert "nobody's workflow" in github.run("rollout", "v2", code=1).err
    workflow = f"{REPOSITORY}/.github/workflows/{{}}.yml@refs/heads/{{}}"
    for name, branch in (("other", "main"), ("release", "feature"), ("release", "main")):
        assert site.serving() == {"v1"}
        site.scene.kept.reports(site.scene)
        github.run("gate", "--record", GITHUB_WORKFLOW_REF=workflow.format(name, branch),
                   GITHUB_REF=f"refs/heads/{branch}", GITHUB_SHA=sha)
        right = (name, branch) == ("release", "main")
        done = github.run("rollout", "v2", code=0 if right else 1)
        assert right or "only those of release.yml on `main` count" in done.err, done
    assert site.serving() == {"v2"}
    github.clean()


def test_answers_that_are_as_of_before_lose_no_approval_and_double_nothing(site, github):
    """A copy of GitHub's that lags behind: lists show what they showed the last time."""
    waits(site, "ada", "ben", count=2)
    site.release("2-search")
    github.commit()
    stale = {"stale": True}
    github.bench.control(faults={
        "issues/create": [{"cut": "after"}], "repos/create-deployment": [{"cut": "after"}],
        "issues/list-for-repo": [stale], "repos/list-deployments": [stale],
    })
    github.run("rollout", "v2", "--wait=suspend")
    github.run("resume")
    github.say("ada", "/approve")
    github.bench.fault("issues/list-comments", stale)
    github.run("resume")
    github.bench.fault("issues/list-comments", {"skip": 1, "stale": True, "times": 3})
    github.say("ben", "/approve")
    for _ in range(4):  # as often as it shows what was, and once more
        github.run("resume")
    assert site.serving() == {"v2"}
    assert len(github.issues()) == 1 and len(github.deployments()) == 1
    assert len([c for c in github.comments() if "may v2 go" in c["body"]]) == 1, github.comments()
    answers = [e for e in site.events() if e["type"] == "approval.answered"]
    assert [e["actor"]["login"] for e in answers] == ["ada", "ben"], answers
    github.clean()


@pytest.mark.parametrize("first", ["breach", "approval"])
def test_an_approval_that_meets_a_breach_changes_nothing(site, github, first):
    """The last step waits for a person while the first one is watched; it dies as they agree. Whoever
    reads that first answers it, and once: also the run that the comment itself has woken."""
    site.name_a_watcher()
    site.config("steps: [50%, 100%]", "steps: [50%, {to: 100%, approval: {from: [ada]}}]")
    site.release("2-search")
    github.commit()
    child = site.start("rollout", "v2", "--wait=block", env=github.environment())
    try:
        wait_for(lambda: github.issues() and github.comments(), "a question")
        out, = [host for host, release in site.scene.serving().items() if release.startswith("v2")]
        folder = site.scene.directory / "hosts" / out
        if first == "approval":
            said = github.say("ada", "/approve it looks good to me")
        subprocess.run([site.scene.directory / "bin/host", "stop"], cwd=folder, check=True)
        if first == "breach":
            said = github.say("ada", "/approve it looks good to me")
        told = child.communicate(timeout=90)
        assert child.returncode == 1, told
    finally:
        end(child)
    assert site.serving() == {"v1"} and github.states()[-1] == "inactive"
    github.run("resume", f"--comment={github.address(said)}")
    github.run("resume")
    assert site.serving() == {"v1"}, "what is over stays over"
    counted = [e["actor"]["login"] for e in site.events() if e["type"] == "approval.answered"] == ["ada"]
    assert len(github.replies(said)) == (0 if counted else 1), (told, github.comments())
    assert github.reactions(said) == [(US, "+1" if counted else "confused")], told
    assert counted or "does not count: " in github.replies(said)[0], github.comments()
    github.clean()


# ---- once it is over -----------------------------------------------------------------------------


def test_what_a_rollback_takes_back_is_not_shown_as_live(site, github):
    """What is adopted has no commit here, and so no deployment of its own."""
    at_once(site)
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2")
    site.config("step_bake: 1s", "step_bake: 2s")
    github.bench.act("dora", "commit", branch="main", message="Steps", sha=site.scene.git("rev-parse", "HEAD"))
    site.decide()
    github.run("rollout", "v3")
    github.run("rollback", "--yes", "--reason", "slow pages")
    assert site.serving() == {"v2"}
    shown = {payload["sluice"]: states[-1] for _, payload, states in github.deployments()}
    assert shown == {
        "v2-production-1": ("success", "v2 is out"),
        "v3-production-1": ("inactive", "Taken back to v2: slow pages"),
        "v2-production-rollback-1": ("success", "Taken back to v2: slow pages"),
    }, shown
    done = github.run("rollback", "--yes", "--to", "v1", "--reason", "still slow")
    assert "on GitHub" not in done.err, done
    github.run("resume")  # which finds nothing left to say
    assert site.serving() == {"v1"}
    rows = {payload["sluice"]: states for _, payload, states in github.deployments()}
    assert len(rows) == 3 and rows["v2-production-rollback-1"][-2:] == [
        ("success", "Taken back to v2: slow pages"), ("inactive", "Taken back to v1: still slow")], rows
    github.clean()


def asks(site, github, who, words, *command, code=0, **more):
    """Says something in the first issue, and wakes the workflow that GitHub would wake."""
    comment = github.say(who, words)
    return github.run(
        *(command or ("rollback", "--yes")), f"--comment={github.address(comment)}", code=code, **more)


def goes_out(site, github):
    waits(site, "ada")
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", "--wait=suspend")
    github.say("ada", "/approve")
    github.run("resume")
    assert site.serving() == {"v2"} and github.issues()[0]["state"] == "closed"


def test_a_rollout_that_is_over_is_taken_back_from_its_issue(site, github):
    goes_out(site, github)
    done = asks(site, github, "eve", "/rollback")
    assert "only who may write" in answered(github) and site.serving() == {"v2"}, done
    done = asks(site, github, "ben", "/hold it")
    assert "this rollout is over" in answered(github), done
    done = asks(site, github, "ben", "/approve")
    assert "nothing is asked" in answered(github), done
    done = asks(site, github, "ben", "/status")
    assert "Phase: done" in answered(github), done
    assert site.serving() == {"v2"}
    early = github.say("ben", "/rollback")  # no run heard it: that came too late, or was lost
    done = asks(site, github, "ada", "/status")
    assert site.serving() == {"v2"} and any(
        "nobody heard it" in c["body"] and "@ben" in c["body"] for c in github.comments()), early
    done = asks(site, github, "ben", "/rollback pages are slow")
    assert site.serving() == {"v1"}, done
    said, = [e for e in site.events() if e["type"] == "github.asked"]
    assert said["body"]["by"] == "ben" and "issuecomment" in said["body"]["said_at"], said
    rollback = said["rollout"]
    assert "rollback" in rollback
    planned, = [e for e in site.events()
                if e["type"] == "rollout.planned" and e["rollout"] == rollback]
    assert planned["body"]["plan"]["reason"] == "pages are slow", planned
    again = github.comments()[-1]["html_url"]
    before = len(site.events())
    github.run("rollback", "--yes", f"--comment={again}")  # the same run, started again
    done = asks(site, github, "ben", "/rollback once more")
    assert "not what runs" in answered(github) and site.serving() == {"v1"}, done
    assert len([e for e in site.events() if e["type"] == "rollout.planned"]) == 2, before
    github.clean()


def test_resume_hears_it_where_the_issue_closed_meanwhile(site, github):
    goes_out(site, github)
    github.bench.fault("issues/list-comments", {"status": 503}, {"cut": "before"})
    done = asks(site, github, "ben", "/rollback", "resume")
    assert site.serving() == {"v1"}, done
    done = github.run("rollback", "--yes", "--comment=https://github.example/a/b/issues/99#issuecomment-1")
    assert "not that of a rollout" in done.err, done
    done = github.run("rollback", "--yes", "--comment=issues/99", code=2)
    assert "address of a comment" in done.err, done
    done = github.run("rollback", "--yes", "--comment=a/issues/1#issuecomment-1", "--to=v1", code=2)
    assert "--comment says what goes back" in done.err, done
    github.clean()
