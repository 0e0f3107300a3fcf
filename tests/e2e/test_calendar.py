"""Freezes, windows, seasons and the hotfix lane on real processes."""

import datetime
import os
import pwd
import signal

from conftest import end
from test_rollout import wait_for

UTC = datetime.timezone.utc
ME = pwd.getpwuid(os.geteuid()).pw_name


def utc(minutes):
    """A time so many minutes from now, as the configuration has it."""
    moment = datetime.datetime.now(UTC) + datetime.timedelta(minutes=minutes)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def freeze(name, from_minutes, to_minutes, more=""):
    return f'{{name: {name}, from: "{utc(from_minutes)}", to: "{utc(to_minutes)}"{more}}}'


def add(site, text):
    site.config("version: 1\n", f"version: 1\n{text}\n")


def planned(site):
    return [event for event in site.events() if event["type"] == "rollout.planned"][-1]["body"]


def test_a_freeze_refuses_before_anything_is_touched(site):
    add(site, f"freezes: [{freeze('exams', -5, 60)}]")
    site.release("2-search")
    done = site.must("rollout", "v2", code=1)
    assert "nothing was touched: freeze `exams`, until " in done.err
    assert " UTC" in done.err and "this freeze lets nothing pass" in done.err
    emergency = ["--emergency", "P1", "--incident", "INC-7", "--reason", "nobody can enrol"]
    done = site.must("rollout", "v2", *emergency, code=1)
    assert "this freeze lets nothing pass" in done.err
    assert not [event for event in site.events() if event["type"] == "rollout.planned"]
    plan = site.must("plan").out
    assert "freeze `exams` from " in plan and "would be refused now: freeze `exams`" in plan
    assert site.serving() == {"v1"}


def test_a_closed_window_refuses_and_plan_says_so(site):
    now = datetime.datetime.now(UTC)
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    other = days[(now.weekday() + 3) % 7]
    add(site, f'windows: ["{other} 09:00-16:00 Europe/Amsterdam"]')
    site.release("2-search")
    done = site.must("rollout", "v2", code=1)
    assert f"outside of the window `{other} 09:00-16:00 Europe/Amsterdam`, until {other} " in done.err
    assert "--emergency P1 --incident ID --reason" in done.err
    plan = site.must("plan").out
    assert f"goes forward only within `{other} 09:00-16:00 Europe/Amsterdam`" in plan
    assert "would be refused now: outside of the window" in plan
    assert site.serving() == {"v1"}


def test_the_hotfix_lane_goes_past_a_freeze_and_owes_a_review(site):
    add(site, f"freezes: [{freeze('exams', -5, 60, ', allow: [P1]')}]\n"
              "emergency: {steps: [50%, 100%], step_bake: 2s, bake: 2s, review_within: 1h}")
    site.release("2-search")
    emergency = ["--emergency", "P1", "--incident", "PD-1234", "--reason", "nobody can enrol"]
    done = site.must("rollout", "v2", "--emergency", "P2", *emergency[2:], code=1)
    assert "this freeze lets only the fixes of P1 pass, not of P2" in done.err
    done = site.must("rollout", "v2", "--emergency", "P1", code=2)
    assert "needs the incident that it mends and a reason" in done.err
    done = site.must("rollout", "v2", "--reason", "because", code=2)
    assert "--incident and --reason belong to --emergency" in done.err
    done = site.must("rollout", "v2", *emergency, code=2)
    assert "needs somebody who approves" in done.err
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    site.decide()
    site.must("rollout", "v2", *emergency, "--wait", "suspend")
    site.must("approve", "v2-production-1", "--yes")
    assert "v2 done in production" in site.must("resume").out
    assert site.serving() == {"v2"}
    body = planned(site)
    assert body["plan"]["emergency"]["incident"] == "PD-1234"
    assert body["plan"]["emergency"]["overrides"].startswith("freeze `exams`, until ")
    assert body["plan"]["step_bake_ms"] == body["plan"]["bake_ms"] == 2000
    due = [event for event in site.events() if event["type"] == "incident.review-due"]
    assert len(due) == 1 and due[0]["body"]["incident"] == "PD-1234"
    assert due[0]["body"]["severity"] == "P1" and due[0]["stream"] == "incident"
    assert "PD-1234" in site.must("show", "v2-production-1").out
    site.must("verify")


def test_nothing_passes_by_emergency_that_the_gate_has_not_let_pass(site):
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    site.scene.commit("2-search")
    done = site.must("rollout", "v2", "--emergency", "P1", "--incident", "INC-1", "--reason", "now",
                     code=1)
    assert "the gate has not decided on commit" in done.err


def test_a_freeze_that_comes_while_it_runs_makes_it_wait_and_ends(site):
    site.config("step_bake: 3s", "step_bake: 6s")
    site.release("2-search")
    rollout = site.start("rollout", "v2", "--verbose")
    try:
        wait_for(lambda: "v2" in site.serving(), "v2 serves somewhere")
        # Somebody freezes on the default branch; the rollout reads it before its next step.
        add(site, f"freezes: [{freeze('storm', -5, 0.5)}]")
        out, err = rollout.communicate(timeout=90)
    finally:
        end(rollout)
    assert rollout.returncode == 0, (out, err)
    assert "forward steps wait: freeze `storm`, until " in err
    types = [event["type"] for event in site.events() if event.get("rollout") == "v2-production-1"]
    assert types.index("step.passed") < types.index("rollout.thawed")
    assert "rollout.frozen" in types[: types.index("rollout.thawed")]
    assert site.serving() == {"v2"}
    site.must("verify")


def test_a_bad_release_goes_back_also_in_a_freeze(site):
    site.release("2-search")
    site.must("rollout", "v2")
    site.release("3-recommend")
    rollout = site.start("rollout", "v3")
    try:
        wait_for(lambda: "v3" in site.serving(), "v3 serves somewhere")
        add(site, f"freezes: [{freeze('storm', -5, 60)}]")
        out, err = rollout.communicate(timeout=90)
    finally:
        end(rollout)
    assert rollout.returncode == 1 and "rolled-back" in out, (out, err)
    assert site.serving() == {"v2"}
    done = site.must("rollback", "--yes", "--reason", "in a freeze too")
    assert "is back on" in done.out
    site.must("verify")


def test_frozen_between_the_approval_and_the_first_command_it_needs_no_process(site):
    """The freeze comes onto the default branch after the answer was counted."""
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    site.release("2-search")
    site.must("rollout", "v2", "--wait", "suspend")
    site.must("approve", "v2-production-1", "--yes")
    add(site, f"freezes: [{freeze('storm', -5, 0.7)}]")
    ends = planned_end(site)
    waiting = site.must("resume")
    assert utc(0) < ends, "it did not keep its process until the freeze was over"
    assert "v2 waiting in production" in waiting.out and "Forward steps wait: freeze `storm`" in waiting.out
    assert site.serving() == {"v1"}
    entries = len(site.events())
    again = site.must("resume")
    assert "Forward steps wait: freeze `storm`" in again.out
    assert len(site.events()) == entries, "waiting writes nothing"
    watch = site.start("watch", "--every", "1s")
    try:
        wait_for(lambda: site.serving() == {"v2"}, "v2 is out after the freeze", 120)
    finally:
        watch.send_signal(signal.SIGTERM)
        watch.communicate(timeout=30)
        end(watch)
    changed = [event["time"] for event in site.events() if event["type"] == "command.done"]
    assert min(changed) > ends
    site.must("resume", "--wait", "block")
    assert site.must("status", "--format", "json").json()["targets"][0]["known_good"] == "v2"
    site.must("verify")


def test_an_approval_given_in_a_freeze_waits_for_its_end(site):
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    site.release("2-search")
    site.must("rollout", "v2", "--wait", "suspend")
    add(site, f"freezes: [{freeze('storm', -5, 0.4)}]")
    site.must("approve", "v2-production-1", "--yes")
    waiting = site.must("resume")
    assert "forward steps wait: freeze `storm`" in waiting.err
    if "waiting" in waiting.out:  # else it had counted the answer before it read of the freeze, and stayed
        assert site.serving() == {"v1"}
        assert "waits" in site.must("status", "v2-production-1").out
        wait_for(lambda: utc(0) > planned_end(site), "the freeze is over")
        assert "v2 done in production" in site.must("resume").out
    changed = [event["time"] for event in site.events() if event["type"] == "command.done"]
    assert changed and min(changed) > planned_end(site)
    assert site.serving() == {"v2"}
    site.must("verify")


def planned_end(site):
    text = (site.repository / ".github/sluice.yml").read_text()
    return text.split('to: "', 1)[1].split('"', 1)[0]


def test_a_season_replaces_the_steps(site):
    today = datetime.datetime.now(UTC).strftime("%Y-%m-%d")
    add(site, f"seasons: [{{name: exams, from: {today}, to: {today}, steps: [100%], bake: 3s}}]")
    site.config("requests: 20}", "requests: 20, max: 5%}")
    plan = site.must("plan").out
    assert "season `exams`: planned on " in plan and "the season's own are steps, bake" in plan
    site.release("2-search")
    site.must("rollout", "v2")
    body = planned(site)["plan"]
    assert [step["share_ppm"] for step in body["steps"]] == [1000000]
    assert body["season"]["name"] == "exams" and "steps, bake" in body["season"]["why"]
    assert body["bake_ms"] == 3000
    site.must("verify")


def test_a_mistake_in_the_calendar_stops_a_rollout_but_not_a_rollback(site):
    site.release("2-search")
    site.must("rollout", "v2")
    add(site, 'windows: ["Mon 09:00-16:00 Europe/Amsterdm"]')
    done = site.must("rollout", "v3", code=2)
    assert "did you mean `Europe/Amsterdam`?" in done.err
    site.must("rollback", "--yes", "--reason", "still possible")
    assert site.serving() == {"v1"}


def test_a_remote_that_is_down_leaves_what_was_planned(site):
    """What cannot be read again is said, and the plan's own freezes hold."""
    add(site, f"freezes: [{freeze('later', 600, 660)}]")
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    site.release("2-search")
    site.must("rollout", "v2", "--wait", "suspend")
    body = planned(site)["plan"]
    assert [one["name"] for one in body["freezes"]] == ["later"]
    site.must("approve", "v2-production-1", "--yes")
    site.scene.git("update-ref", "-d", "refs/heads/main", cwd=site.scene.directory / "learn.git")
    done = site.must("resume")
    assert "freezes are not read again from the default branch" in done.err
    assert "v2 done in production" in done.out
