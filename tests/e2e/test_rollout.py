"""Rollouts on real processes: the demo's application on two hosts behind a load balancer."""

import os
import signal
import time

from conftest import end


def test_a_good_release_goes_out_and_is_known_good(site):
    commit = site.release("2-search")
    done = site.must("rollout", "v2", "--commit", commit)
    assert "v2 done in production" in done.out
    assert site.serving() == {"v2"}
    assert site.must("status", "--format", "json").json()["targets"][0]["known_good"] == "v2"
    site.must("verify")


def test_a_bad_release_is_taken_back_and_stays_bad(site):
    site.release("2-search")
    site.must("rollout", "v2")
    commit = site.release("3-recommend")
    done = site.must("rollout", "v3", "--commit", commit, code=1)
    assert "courses on web" in done.out and "rolled-back" in done.out
    assert site.serving() == {"v2"}
    again = site.must("rollout", "v3", "--commit", commit, code=1)
    assert "is marked bad" in again.err
    types = [event["type"] for event in site.events()]
    assert "incident.opened" in types and "release.marked-bad" in types
    site.must("verify")


def test_nothing_goes_out_that_the_gate_has_not_let_pass(site):
    commit = site.scene.commit("2-search")
    done = site.must("rollout", "v2", "--commit", commit, code=1)
    assert "the gate has not decided on commit" in done.err
    assert site.serving() == {"v1"}


def test_nothing_goes_out_without_a_way_back(site, tmp_path):
    site.config("  - stage: production\n", "  - stage: production\n    environment: elsewhere\n")
    commit = site.release("2-search")
    done = site.must("rollout", "v2", "--commit", commit, code=1)
    assert "has no known-good release to return to" in done.err and "sluice adopt" in done.err
    assert site.serving() == {"v1"}


def test_an_approval_is_waited_for_without_a_process(site):
    me = os.environ.get("USER") or "root"
    site.config("    steps:", "    approval: {from: [somebody.else]}\n    steps:")
    site.release("2-search")
    waiting = site.must("rollout", "v2", "--wait", "suspend")
    assert "waiting in production" in waiting.out
    assert site.serving() == {"v1"}
    refused = site.must("approve", "v2-production-1", "--yes", code=1)
    assert "is not among those who may answer: somebody.else" in refused.err, me
    still = site.must("resume")
    assert "waiting" in still.out
    assert site.serving() == {"v1"}


def test_the_right_person_approves_and_it_goes_on(site):
    name = site.run("approve", "nothing", "--yes")
    assert name.code == 2 and "is waiting" in name.err
    import pwd

    me = pwd.getpwuid(os.geteuid()).pw_name
    site.config("    steps:", f"    approval: {{from: [{me}]}}\n    steps:")
    site.release("2-search")
    site.must("rollout", "v2", "--wait", "suspend")
    none = site.must("approve", "v2-production-1", "--withdraw", code=2)
    assert "has approved nothing that could be taken back" in none.err, none
    site.must("approve", "v2-production-1", "--yes")
    back = site.must("approve", "v2-production-1", "--withdraw", "--comment", "one more look")
    assert f"Taken back by {me}" in back.out
    assert "waiting" in site.must("resume").out and site.serving() == {"v1"}
    site.must("approve", "v2-production-1", "--yes", "--comment", "seen with the team")
    done = site.must("resume")
    assert "v2 done in production" in done.out
    assert site.serving() == {"v2"}
    given = [event for event in site.events() if event["type"] == "approval.given"]
    assert len(given) == 1
    assert site.run("approve", "v2-production-1", "--withdraw").code == 2
    site.must("verify")


def test_a_denied_release_touches_nothing(site):
    import pwd

    me = pwd.getpwuid(os.geteuid()).pw_name
    site.config("    steps:", f"    approval: {{from: [{me}]}}\n    steps:")
    site.release("2-search")
    site.must("rollout", "v2", "--wait", "suspend")
    site.must("deny", "v2-production-1", "--yes", "--comment", "exams")
    done = site.must("resume", code=1)
    assert "denied" in done.out
    assert site.serving() == {"v1"}
    site.must("verify")


def test_a_person_rolls_back(site):
    site.release("2-search")
    site.must("rollout", "v2")
    done = site.must("rollback", "--yes", "--reason", "parents call")
    assert "production is back on v1: parents call" in done.out
    assert site.serving() == {"v1"}
    for name in ("v2", "another-name"):
        again = site.must("rollout", name, code=1)
        assert "is marked bad" in again.err
    site.must("verify")


def test_a_mistake_in_the_gate_stops_a_rollout_but_not_a_rollback(site):
    site.release("2-search")
    site.must("rollout", "v2")
    site.config("  tests: {failures: 0}", "  tsts: {failures: 0}")
    done = site.must("rollout", "v3", code=2)
    assert "`tsts` is not a key of `gate`; did you mean `tests`?" in done.err
    site.must("rollback", "--yes", "--reason", "still possible")
    assert site.serving() == {"v1"}


def test_a_rollback_is_never_refused_by_a_ledger_whose_remote_is_down(site):
    site.release("2-search")
    site.must("rollout", "v2")
    remote = site.scene.directory / "learn.git"
    away = site.scene.directory / "away.git"
    remote.rename(away)
    done = site.must("rollback", "--yes", "--reason", "remote is down")
    assert "does not answer" in done.err
    assert site.serving() == {"v1"}
    away.rename(remote)
    site.must("resume")
    site.must("verify")
    assert any(event["rollout"].endswith("-rollback-1") for event in site.events() if event.get("rollout"))


def test_a_rollback_fences_out_the_rollout_that_is_under_way(site):
    site.config("step_bake: 3s", "step_bake: 60s")
    site.release("2-search")
    rollout = site.start("rollout", "v2")
    try:
        wait_for(lambda: "v2" in site.serving(), "v2 serves somewhere")
        site.must("rollback", "--yes", "--reason", "changed our mind")
        assert site.serving() == {"v1"}
        out, err = rollout.communicate(timeout=30)
    finally:
        end(rollout)
    assert rollout.returncode in (1, 3), (out, err)
    assert site.serving() == {"v1"}
    site.must("verify")


def test_a_second_rollout_of_the_same_environment_is_refused(site):
    site.config("step_bake: 3s", "step_bake: 30s")
    commit = site.release("2-search")
    first = site.start("rollout", "v2", "--commit", commit)
    try:
        wait_for(lambda: "v2" in site.serving(), "v2 serves somewhere")
        second = site.run("rollout", "v2b", "--commit", commit)
        assert second.code == 1 and "v2-production-1" in second.err, second
    finally:
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=60)
    assert first.returncode == 130, (out, err)
    assert site.serving() == {"v1"}, "a cancelled rollout goes back"
    site.must("verify")


def test_metrics_that_say_nothing_never_pass(site):
    site.config(
        "  courses: {source: probe, url: \"http://127.0.0.1:${port}/courses/\", every: 1s, requests: 20}",
        "  courses: {source: prometheus, url: \"http://127.0.0.1:9\", every: 1s, lag: 0s,"
        " bad: 'sum(increase(bad{rev=\"${revision}\"}[${window}]))',"
        " total: 'sum(increase(all{rev=\"${revision}\"}[${window}]))'}",
    )
    site.config("min_requests: 40", "min_requests: 40, inconclusive: {extend: 1, then: hold}")
    site.name_a_watcher()
    site.release("2-search")
    done = site.run("rollout", "v2", "--wait", "suspend")
    assert done.code == 1 and "held" in done.out, done
    site.must("rollback", "--yes", "--reason", "nothing can be seen")
    assert site.serving() == {"v1"}
    site.must("verify")


def wait_for(holds, what, seconds=40):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if holds():
                return
        except OSError:
            pass  # a host that restarts right now
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s until {what}")


def test_a_long_reason_keeps_its_end_where_the_remedy_stands(site):
    reason = "the new code does not start: " + "x" * 200 + "; give it back its licence"
    site.config('restart: "', f'restart: "test -e RELEASE.ok || case $SLUICE_RELEASE in v2) echo \'{reason}\' >&2; exit 1;; esac; ')
    site.release("2-search")
    done = site.must("rollout", "v2", code=1)
    assert reason in done.out, done
    assert reason in site.must("show", "v2-production-1").out
    ended = [event for event in site.events() if event["type"] == "rollout.rolled-back"]
    assert reason in ended[0]["body"]["why"] and reason in ended[0]["body"]["text"]
    site.must("verify")


def test_every_stage_is_looked_at_before_the_first_is_touched(site):
    path = site.repository / ".github/sluice.yml"
    web = path.read_text().split("  web:\n")[1].split("metrics:")[0]
    far = web.replace("/hosts/${host}", "/nowhere/${host}")
    assert far != web
    site.config("metrics:\n", "  far:\n" + far + "metrics:\n")
    site.config(
        "analysis:", "  - {stage: last, after: production, targets: [far], bake: 2s}\nanalysis:"
    )
    site.release("2-search")
    (site.scene.directory / "nowhere").write_text("a file where a folder should be")
    done = site.must("rollout", "v2", "--first", "far", code=3)
    assert "stage last: " in done.err and "is not a folder" in done.err, done
    assert site.serving() == {"v1"}
    site.must("rollout", "v2", "--stage", "production")
    assert site.serving() == {"v2"}


def test_a_way_back_that_takes_longer_than_it_may_is_refused_in_time(site):
    site.config('restart: "', 'restart: "sleep 1; ')
    site.release("2-search")
    site.must("rollout", "v2")
    site.must("rollback", "--yes", "--reason", "to see how long it takes")
    assert " when it was fastest" in site.must("plan").out
    site.config("incidents:", "rollback: {time_limit: 1s}\nincidents:")
    site.decide()
    plan, done = site.must("plan", code=2), site.must("rollout", "v4", code=2)
    assert "the way back takes longer than it may: in production it took " in done.err, done
    assert plan.err == done.err
    assert site.serving() == {"v1"}
