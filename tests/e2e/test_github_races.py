"""What people say on GitHub, beside what happens meanwhile: questions that expire, that are over before
an answer is looked at, questions that cannot be answered yet, and issues that somebody fills."""

import os
import pwd
import time

from conftest import end
from github_bench import REPOSITORY
from test_github_rollout import Github, answered, github, process, waits, with_an_app  # noqa: F401
from test_prometheus import wait_for

ME = pwd.getpwuid(os.geteuid()).pw_name
NAME = "v2-production-1"


def states(site):
    return [e["body"].get("granted") for e in site.events() if e["type"] == "approval.answered"]


def test_an_answer_in_time_counts_when_the_next_process_comes_late(site, github):
    waits(site, ME, "ada", count=2, expires_after="8s")
    site.release("2-search")
    github.run("rollout", "v2", "--wait=suspend")
    site.must("approve", NAME, "--yes")
    github.say("ada", "/approve")
    time.sleep(9)
    github.run("resume")
    assert site.serving() == {"v2"} and states(site) == [True, True]
    github.clean()


def test_a_late_answer_does_not_count_and_the_question_is_over(site, github):
    waits(site, ME, expires_after="2s")
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", "--wait=suspend")
    time.sleep(3)
    site.must("approve", NAME, "--yes")
    over = github.run("resume", code=1)
    assert "not counted: it was said when the question was over" in over.err, over
    assert site.serving() == {"v1"}
    issue, = github.issues()
    assert issue["state"] == "closed" and issue["title"].startswith("🚫"), issue
    assert "nobody approved within 2 s" in github.comments()[-1]["body"], github.comments()
    assert github.states()[-1] == "inactive"
    github.clean()


def test_a_team_is_asked_about_while_the_question_is_answered(site, github):
    """The answer about the second member comes when enough have agreed."""
    key = with_an_app(site, github, ada="member", ben="member")
    waits(site, '"@bench/release"')
    site.release("2-search")
    github.commit()
    child = site.start("rollout", "v2", "--wait=block", env=github.environment(**key))
    try:
        wait_for(lambda: github.issues() and github.comments(), "it asks")
        github.bench.fault("teams/get-membership-for-user-in-org", {}, {"delay": 5})
        github.say("ada", "/approve")
        github.say("ben", "/approve")
        out, err = child.communicate(timeout=90)
        assert child.returncode == 0, err
    finally:
        end(child)
    assert site.serving() == {"v2"} and "Sanitizer" not in err, err
    github.clean()


def test_who_wrote_it_cannot_be_asked_and_a_rollback_is_heard_all_the_same(site, github):
    site.go_out("2-search", "v2")
    waits(site, "ben", prevent_self_review="true")
    site.release("3-recommend")
    github.commit()
    github.run("rollout", "v3", "--wait=suspend")
    github.bench.fault("repos/compare-commits-with-basehead", *[{"status": 502}] * 60)
    github.say("ben", "/approve")
    github.say("ada", "/rollback not today")
    github.run("resume", code=1)
    assert site.serving() == {"v2"} and not states(site)
    issue, = github.issues()
    assert issue["state"] == "closed", issue
    github.clean()


def test_a_stranger_fills_the_issue_with_the_longest_comments(site, github):
    """A page of them is more than one answer of a server may be."""
    waits(site, "ada")
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", "--wait=suspend")
    github.bench.act("eve", "comment", issue="last", body="★" * 65536, times=95)
    github.say("ada", "/approve")
    github.run("resume")
    assert site.serving() == {"v2"}
    github.clean()


def test_where_an_incident_is_shown_is_pushed_before_the_runner_is_gone(site, github):
    """The next runner has a clone of its own."""
    site.go_out("2-search", "v2")
    site.release("3-recommend")
    github.commit()
    github.run("rollout", "v3", code=1)
    shown = [e["body"] for e in site.events() if e["type"] == "github.incident"]
    assert [one["number"] for one in shown] == [github.issues()[0]["number"]], shown
    github.clean()


def test_a_start_of_which_nothing_is_known_is_not_made_twice(site, github):
    mine = "ghp_ben"
    github.bench.control(
        repositories={REPOSITORY: {"workflows": ["sluice-rollback.yml"]}},
        tokens={mine: {"kind": "user", "login": "ben", "permissions": {
            "actions": "write", "metadata": "read"}}},
    )
    env = {"GITHUB_API_URL": github.bench.api_url, "GITHUB_REPOSITORY": REPOSITORY,
           "GH_TOKEN": mine, "GITHUB_TOKEN": "", "GITHUB_ACTIONS": ""}
    github.bench.fault("actions/create-workflow-dispatch", {"cut": "before"})
    done = site.run("rollback", "--via", "github", "--reason", "x", "--yes", env=env)
    assert done.code != 0 and "look at its runs before you start it again" in done.err, done
    assert not github.bench.effects("actions/create-workflow-dispatch")
