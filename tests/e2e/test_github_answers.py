"""What people say in a rollout's issue on GitHub (tests/bench/github), where it is late, deleted or behind
a flood; what a deployment links to; and the same on Enterprise Server."""

import re
import time

import pytest

from conftest import end
from github_bench import ENTERPRISE, REPOSITORY, GithubBench
from test_github_rollout import US, answered, asks, at_once, github, waits  # noqa: F401
from test_prometheus import wait_for

ANSWERS = 60  # COMMENT_ANSWERS of actions/github/comment_desk.h
NAME = "v2-production-1"
PROBE = '{source: probe, url: "http://127.0.0.1:${port}/courses/", every: 1s, requests: 20, max: 5%}'
NOTHING_SEEN = (
    "{source: prometheus, url: 'http://127.0.0.1:9', every: 1s, lag: 0s, max: 5%,"
    " bad: 'bad{rev=\"${revision}\"}', total: 'all{rev=\"${revision}\"}'}"
)


@pytest.fixture(scope="module")
def process(request, tmp_path_factory):
    bench = GithubBench(tmp_path_factory.mktemp("github") / "log", getattr(request, "param", None))
    yield bench
    bench.stop()


def only_the_issue(site):
    site.config("{poll: 1s", "{incidents: false, deployments: false, poll: 1s")


def asked(site, github):
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", "--wait=suspend")


def of(site, kind):
    return [event for event in site.events() if event["type"] == kind]


def who(site, kind="approval.answered"):
    return [event["actor"]["login"] for event in of(site, kind)]


def sent(github, comment):
    """What was asked of GitHub, whether or not it was there already."""
    return [row["body"]["content"]
            for row in github.bench.writes("reactions/create-for-issue-comment")
            if int(row["path"]["comment_id"]) == comment]


def links(github):
    """Of each status of the one deployment: state, run, where it is seen; the oldest first."""
    deployment, = github.bench.api("GET", "deployments").tree
    rows = github.bench.api("GET", f"deployments/{deployment['id']}/statuses").tree
    return [(row["state"], row["log_url"], row["target_url"], row["environment_url"])
            for row in reversed(rows)]


# ---- in time, and too late ----------------------------------------------------------------------


def test_what_nobody_answers_in_time_is_denied_and_links_to_its_runs(site, github):
    site.config("poll: 1s", 'poll: 1s, environment_url: "https://${environment}.learn.example/"')
    waits(site, "ada", expires_after="5s")
    asked(site, github)
    assert "; it is over " in answered(github), github.comments()
    time.sleep(5)
    done = github.run("resume", code=1, GITHUB_RUN_ID="78")
    issue, = github.issues()
    assert issue["state"] == "closed", issue
    assert issue["title"] == "🚫 v2 in production: denied", issue["title"]
    assert "nobody approved within 5 s" in answered(github), answered(github)
    (_, _, states), = github.deployments()
    assert states[-1] == ("inactive", "Nothing was touched: nobody approved within 5 s"), states
    run, seen = f"{github.bench.url}/{REPOSITORY}/actions/runs", "https://production.learn.example/"
    assert links(github) == [
        ("queued", f"{run}/77", f"{run}/77", seen), ("inactive", f"{run}/78", f"{run}/78", seen),
    ], links(github)

    done = asks(site, github, "ada", "/approve I was asleep", "resume")
    assert "nothing is asked at the moment" in answered(github), done
    assert site.serving() == {"v1"} and not who(site), site.events()
    github.clean()


def test_an_approval_that_comes_too_late_does_not_count_and_is_told_so(site, github):
    """It is read before anybody has noticed that the time is over."""
    only_the_issue(site)
    waits(site, "ada", expires_after="5s")
    asked(site, github)
    time.sleep(5)
    late = github.say("ada", "/approve I was asleep")
    github.run("resume", code=1)
    assert site.serving() == {"v1"} and not of(site, "approval.given"), site.events()
    assert github.issues()[0]["title"] == "🚫 v2 in production: denied"
    github.clean()
    assert github.reactions(late) == [(US, "confused")] and github.replies(late), github.comments()


# ---- what is shown of it ------------------------------------------------------------------------


def test_what_was_counted_stays_and_what_was_deleted_unread_was_never_said(site, github):
    """And each comment that was read has one reaction, however often it was read."""
    at_once(site)
    only_the_issue(site)
    waits(site, "ada", "ben", "cleo", count=2)
    asked(site, github)
    counted, refused = github.say("ada", "/approve"), github.say("eve", "/approve")
    github.run("resume")
    assert github.reactions(counted) == [(US, "+1")] and not github.replies(counted)
    assert github.reactions(refused) == [(US, "confused")] and len(github.replies(refused)) == 1
    github.bench.act("ada", "delete", comment=counted)
    unread = github.say("cleo", "/approve")
    github.bench.act("cleo", "delete", comment=unread)
    github.run("resume")
    assert site.serving() == {"v1"} and "1 agreed" in site.must("status", NAME).out
    last = github.say("ben", "/approve")
    github.run("resume")
    assert site.serving() == {"v2"} and who(site) == ["ada", "ben"], who(site)
    assert github.reactions(last) == [(US, "+1")]
    assert [sent(github, one) for one in (counted, refused, unread, last)] == [
        ["+1"], ["confused"], [], ["+1"]]
    assert len(github.replies(refused)) == 1, github.comments()
    assert re.findall(r"approval\.answered .*\((\w+)\)", site.must("log", "--all").out) == ["ada", "ben"]
    github.clean()


def test_what_is_held_is_brought_out_from_its_issue_with_who_and_why(site, github):
    """It is held by itself, as its figures say nothing."""
    site.name_a_watcher()
    at_once(site)
    only_the_issue(site)
    site.config(
        PROBE, NOTHING_SEEN,
        "min_requests: 40", "min_requests: 40, inconclusive: {extend: 0, then: hold}")
    site.release("2-search")
    github.commit()
    github.run("rollout", "v2", "--wait=suspend", code=1)
    issue, = github.issues()
    assert issue["title"] == "✋ v2 in production at 100 %: held, a person must decide", issue
    assert "Say `/promote` with a reason" in answered(github), github.comments()
    bare, said = github.say("cleo", "/promote"), github.say("ben", "/promote  I have looked")
    github.run("resume")
    assert site.serving() == {"v2"}
    assert github.issues()[0]["title"].startswith("✅") and github.issues()[0]["state"] == "closed"
    assert "it needs a reason" in github.replies(bare)[0] and not github.replies(said)
    assert github.reactions(bare) == [(US, "confused")] and github.reactions(said) == [(US, "+1")]
    (given,) = of(site, "steering.given")
    assert given["actor"]["login"] == "ben", given
    assert (given["body"]["steer"], given["body"]["text"]) == ("promote", "I have looked"), given
    assert site.must("show", NAME).out.count("promote: I have looked (ben)") == 2
    github.clean()


# ---- behind others ------------------------------------------------------------------------------


def test_an_approval_behind_more_refusals_than_one_process_answers_is_counted(site, github):
    """Strangers first, who take back what they have said; then who is asked, one by one."""
    at_once(site)
    only_the_issue(site)
    waits(site, "ada", "ben", count=2)
    site.release("2-search")
    github.commit()
    child = site.start("rollout", "v2", "--wait=block", env=github.environment())
    try:
        wait_for(lambda: github.issues() and github.comments(), "a question")
        gone = {"status": 404, "times": ANSWERS}
        github.bench.fault("reactions/create-for-issue-comment", gone)
        github.bench.act("eve", "comment", issue="last", body="/approve me", times=ANSWERS + 20)
        github.say("ada", "/approve")
        wait_for(lambda: who(site) == ["ada"], "hers is counted before any stranger is answered")
        assert len(github.bench.writes("reactions/create-for-issue-comment")) < ANSWERS // 2
        told = lambda: len(github.bench.writes("reactions/create-for-issue-comment"))  # noqa: E731
        wait_for(lambda: told() == ANSWERS, "it has answered as many as it does", 120)
        github.say("ben", "/approve")
        wait_for(lambda: site.serving() == {"v2"}, "v2 is out")
        said = child.communicate(timeout=90)
        assert child.returncode == 0 and told() == ANSWERS, said
    finally:
        end(child)
    assert who(site) == ["ada", "ben"]
    github.clean()


# ---- Enterprise Server --------------------------------------------------------------------------


@pytest.mark.parametrize("process", [ENTERPRISE], indirect=True)
def test_on_enterprise_server_people_answer_and_incidents_are_told(site, github):
    waits(site, "ada", "ben", count=2)
    site.release("2-search")
    site.release("3-recommend")
    github.commit()
    done = github.run("doctor")
    assert "weak     branch main: no check is required" in done.out, done
    assert "weak     branch release-ledger: the record may be rewritten" in done.out, done
    assert "GitHub has none of that name" in done.out and not github.bench.told()["writes"], done
    github.run("rollout", "v3", "--wait=suspend")
    ours, strange = github.say("ada", "/approve  looks right"), github.say("eve", "/approve")
    github.run("resume")
    assert site.serving() == {"v1"} and github.reactions(ours) == [(US, "+1")]
    assert "only who may write" in github.replies(strange)[0]
    github.say("ben", "/approve")
    github.run("resume", code=1)
    assert site.serving() == {"v1"} and who(site) == ["ada", "ben"]
    said = of(site, "approval.answered")[0]["body"]["said_at"]
    assert said == f"{github.bench.url}/{REPOSITORY}/issues/1#issuecomment-{ours}", said
    assert github.states()[0] == "queued" and github.states()[-2:] == ["failure", "inactive"]
    incident, issue = github.issues()
    assert issue["title"].startswith("↩ v3 in production") and issue["state"] == "closed", issue
    assert incident["title"].startswith("INC-1 P2: v3 was taken back"), incident
    assert [label["name"] for label in incident["labels"]] == ["incident"]
    github.clean()


@pytest.mark.parametrize("process", [ENTERPRISE], indirect=True)
def test_on_enterprise_server_a_rollback_is_started_and_shown(site, github):
    """As a workflow's run from an issue that is closed, and from a laptop by starting one."""
    at_once(site)
    waits(site, "ada")
    asked(site, github)
    github.say("ada", "/approve")
    github.run("resume")
    assert site.serving() == {"v2"}
    done = asks(site, github, "ben", "/rollback pages are slow")
    assert site.serving() == {"v1"}, done
    said, = of(site, "github.asked")
    assert said["body"]["by"] == "ben", said
    assert re.search(r"github\.asked .*\(ben\)", site.must("log", "--all").out)
    github.bench.control(repositories={REPOSITORY: {"workflows": {"sluice-rollback.yml": {
        "reason": {"required": True}}}}})
    done = github.run("rollback", "--via=github", "--reason=once more", "--yes", GITHUB_ACTIONS="")
    assert f"{github.bench.url}/{REPOSITORY}/actions/runs/" in done.out, done
    github.clean()
    (_, _, states), = github.deployments()
    assert states[-2:] == [("success", "v2 is out"), ("inactive", "Taken back to v1: pages are slow")], states
