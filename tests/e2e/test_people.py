"""What people do to rollouts, on real processes: steer, take back, rehearse, watch, queue, cancel."""

import os
import pwd
import signal
import subprocess
import time

import pytest

from conftest import end
from test_rollout import wait_for

ME = pwd.getpwuid(os.geteuid()).pw_name


def kinds(site, rollout=None):
    return [e["type"] for e in site.events() if rollout is None or e.get("rollout") == rollout]


def phase(site, rollout="v2-production-1"):
    """As status has it, which is asked only when something was written since."""
    tip, key = site.ledger_tip(), rollout
    known = getattr(site, "known_phases", {})
    if tip is None or known.get(key, (None,))[0] != tip:
        known[key] = (tip, phase_now(site, rollout))
        site.known_phases = known
    return known[key][1]


def phase_now(site, rollout):
    for each in site.must("status", "--format", "json").json()["rollouts"]:
        if each["rollout"] == rollout:
            return each["phase"]
    return None


@pytest.fixture
def slow(site):
    """Bakes that are longer than any test, so that only a person goes on."""
    site.config("step_bake: 3s", "step_bake: 10m", "    bake: 2s", "    bake: 10m")
    site.release("2-search")
    return site


@pytest.fixture
def running(slow):
    """v2 has half of the hosts and bakes; the process that drives it lives."""
    child = slow.start("rollout", "v2")
    try:
        wait_for(lambda: phase(slow) == "step bake", "v2 bakes")
        yield slow, child
    finally:
        end(child)


@pytest.fixture
def out(site):
    """v2 is out, and v1 is what a rollback returns to."""
    site.go_out("2-search", "v2")
    return site


# ---- steering ------------------------------------------------------------------------------------


def test_hold_and_promote_reach_the_process_that_drives_it(running):
    site, child = running
    refused = site.must("hold", "v2", code=2)
    assert "say why with --reason" in refused.err
    began = time.monotonic()
    said = site.must("hold", "v2", "--reason", "the phones ring")
    assert f"Hold of v2-production-1 recorded for {ME}. The process that drives it" in said.out
    wait_for(lambda: phase(site) == "held", "it is held")
    assert time.monotonic() - began < 15
    again = site.must("hold", "v2", "--reason", "again", code=1)
    assert "is held already: held by" in again.err and "the phones ring" in again.err
    assert site.serving() == {"v1", "v2"}
    wrong = site.must("promote", "v2", "--step", "100%", "--reason", "all", code=1)
    assert "stands at its step of 50%: the one of 100% is not reached yet" in wrong.err
    none = site.must("promote", "v2", "--step", "7%", "--reason", "all", code=2)
    assert "has no step of 7%" in none.err
    site.must("promote", "v2", "--step", "50%", "--reason", "it was the wrong number")
    wait_for(lambda: phase(site) == "bake", "all of it is out and bakes")
    late = site.must("promote", "v2", "--step", "50%", "--reason", "late", code=1)
    assert "stands at its step of 100%: the one of 50% is over" in late.err
    site.must("promote", "v2-production-1", "--reason", "seen enough")
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, (out, err)
    assert site.serving() == {"v2"}
    done = [e for e in site.events() if e["type"] in ("rollout.held", "rollout.steered")]
    assert [e["body"]["who"] for e in done] == [ME] * 3
    assert "the phones ring" in done[0]["body"]["text"] and "seen enough" in done[2]["body"]["text"]
    site.must("verify")


def test_an_abort_takes_it_back_within_seconds(running):
    site, child = running
    began = time.monotonic()
    site.must("abort", "v2", "--reason", "wrong build")
    out, err = child.communicate(timeout=60)
    assert child.returncode == 1 and "aborted by" in out and "wrong build" in out, (out, err)
    assert time.monotonic() - began < 30
    assert site.serving() == {"v1"}
    gone = site.must("promote", "v2", "--reason", "too late", code=2)
    assert "no rollout v2 is under way" in gone.err
    site.must("verify")


def test_what_nobody_drives_is_steered_by_the_next_resume_and_once(slow):
    site = slow
    site.name_a_watcher()
    site.decide()
    child = site.start("rollout", "v2")
    try:
        wait_for(lambda: phase(site) == "step bake", "v2 bakes")
    finally:
        child.send_signal(signal.SIGKILL)
        end(child)
    said = site.must("hold", "v2", "--reason", "nobody is here")
    assert "No process drives it now: `sluice resume` carries it out." in said.out
    held = site.must("resume", code=1)
    assert "held in production" in held.out and "nobody is here" in held.out
    site.must("promote", "v2", "--reason", "now somebody is")
    other = site.start("resume")
    try:
        wait_for(lambda: phase(site) == "bake", "all of it is out")
    finally:
        other.send_signal(signal.SIGKILL)
        end(other)
    third = site.start("resume")  # reads the same words again
    try:
        time.sleep(4)
        assert phase(site) == "bake"
        site.must("abort", "v2")
        out, err = third.communicate(timeout=60)
    finally:
        end(third)
    assert third.returncode == 1 and "pending" in out, (out, err)
    assert kinds(site).count("rollout.steered") == 2 and kinds(site).count("rollout.held") == 1
    assert site.serving() == {"v1"}
    pending = site.must("status", "v2-production-1")
    assert "pending" in pending.out
    site.must("rollback", "--explain", "v2-production-1", "--reason", "the build was of a fork")
    assert "the build was of a fork" in site.must("status", "v2-production-1").out
    site.must("verify")


def test_promote_skips_no_approval_and_a_hold_outlasts_one(site):
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    site.config("steps: [50%, 100%]", f"steps: [50%, {{to: 100%, approval: {{from: [{ME}]}}}}]")
    site.release("2-search")
    site.must("rollout", "v2", "--wait", "suspend")
    refused = site.must("promote", "v2", "--reason", "no time", code=1)
    assert "waits for an approval, which nothing skips" in refused.err
    site.must("hold", "v2", "--reason", "not before noon")
    site.must("approve", "v2-production-1", "--yes")
    still = site.must("resume")
    assert "waiting in production" in still.out and "not before noon" in still.out
    assert site.serving() == {"v1"}
    site.must("promote", "v2", "--reason", "noon")
    # A step of its own: suspended with traffic, it is watched until somebody answers.
    child = site.start("resume")
    try:
        wait_for(lambda: phase(site) == "waiting" and "v2" in site.serving(), "half of it is out")
        site.must("approve", "v2-production-1", "--yes", "--comment", "and now all of it")
        out, err = child.communicate(timeout=60)
    finally:
        end(child)
    assert child.returncode == 0 and "v2 done" in out, (out, err)
    assert site.serving() == {"v2"}
    assert kinds(site).count("approval.given") == 2
    site.must("verify")


def test_what_is_held_with_traffic_keeps_its_process_where_nobody_is_named(slow):
    site = slow
    child = site.start("rollout", "v2", "--wait", "suspend")
    try:
        wait_for(lambda: phase(site) == "step bake", "v2 bakes")
        site.must("hold", "v2", "--reason", "the phones ring")
        wait_for(lambda: phase(site) == "held", "it is held")
        time.sleep(3)
        assert child.poll() is None, "half of the traffic is not left alone"
        child.send_signal(signal.SIGKILL)
    finally:
        _, err = end(child)
    assert err.count("this process stays and watches it") == 1, err
    came_by = site.must("resume", code=1)
    assert "held in production" in came_by.out, came_by
    assert came_by.err.count("no regression is seen before a person looks") == 1, came_by
    assert site.serving() == {"v1", "v2"}
    site.must("abort", "v2", "--reason", "enough")
    site.must("resume", code=1)
    assert phase(site) is None and site.serving() == {"v1"}
    site.must("verify")


def test_what_is_held_with_traffic_is_left_to_the_watcher_that_is_named(slow):
    site = slow
    site.name_a_watcher()
    site.decide()
    child = site.start("rollout", "v2", "--wait", "suspend")
    try:
        wait_for(lambda: phase(site) == "step bake", "v2 bakes")
        site.must("hold", "v2", "--reason", "the phones ring")
        out, err = child.communicate(timeout=30)
    finally:
        end(child)
    assert child.returncode == 1 and "held in production" in out, (out, err)
    assert "no `watch`" not in err and site.serving() == {"v1", "v2"}
    site.must("abort", "v2", "--reason", "enough")
    site.must("resume", code=1)
    assert site.serving() == {"v1"}
    site.must("verify")


def test_what_waits_with_traffic_is_left_to_the_watcher_that_is_named(site):
    site.config("steps: [50%, 100%]", f"steps: [50%, {{to: 100%, approval: {{from: [{ME}]}}}}]")
    site.name_a_watcher()
    site.release("2-search")
    done = site.must("rollout", "v2", "--wait", "suspend")
    assert "v2 waiting in production" in done.out and site.serving() == {"v1", "v2"}
    watch = site.start("watch", "--every", "1s")
    try:
        driven = lambda: site.must("status", "--format", "json").json()["rollouts"][0]["driven"]  # noqa: E731
        wait_for(driven, "the watch stays with it")
        site.must("approve", "v2-production-1", "--yes")
        wait_for(lambda: phase(site) is None, "v2 is out", 60)
        ends_in(watch, 5)
    finally:
        end(watch)
    assert site.serving() == {"v2"}
    site.must("verify")


def test_steering_works_while_the_remote_of_the_ledger_is_down(running):
    site, child = running
    remote = site.scene.directory / "learn.git"
    away = site.scene.directory / "away.git"
    remote.rename(away)
    try:
        said = site.must("hold", "v2", "--reason", "remote is down")
        assert "does not answer" in said.err
        wait_for(lambda: phase(site) == "held", "it is held")
    finally:
        away.rename(remote)
    site.must("abort", "v2", "--reason", "enough")
    out, err = child.communicate(timeout=90)
    assert child.returncode == 1, (out, err)
    assert site.serving() == {"v1"}
    site.must("verify")


# ---- taking back ---------------------------------------------------------------------------------


def test_a_rollback_says_what_is_possible_and_keeps_its_reason_pending(out):
    site = out
    site.config('restart: "', 'restart: "case $SLUICE_RELEASE in v3) exit 1;; esac; ')
    site.release("3-recommend")
    site.must("rollout", "v3", code=1)  # taken back by itself, and marked bad
    bad = site.must("rollback", "--yes", "--to", "v3", code=1)
    assert "release v3 is marked bad" in bad.err and "possible are: v2, v1" in bad.err
    unknown = site.must("rollback", "--yes", "--to", "v0", code=2)
    assert "release v0 was never known good" in unknown.err and "v2, v1" in unknown.err
    assert "`nothing` is not a target" in site.must("rollback", "nothing", "--yes", code=2).err
    done = site.must("rollback", "web", "--yes")
    assert "  web: from v2 to v1\n    known good since " in done.err
    assert ", as the last time, " in done.err
    assert "The reason is pending: `sluice rollback --explain v1-production-rollback-1" in done.err
    assert site.serving() == {"v1"}
    assert "reason    pending" in site.must("status", "v1-production-rollback-1").out
    site.must("rollback", "--explain", "v1-production-rollback-1", "--reason", "parents call")
    shown = site.must("status", "v1-production-rollback-1")
    assert "reason    parents call" in shown.out and "pending" not in shown.out
    marks = site.must("status", "--format", "json").json()["bad"]
    assert [mark["release"] for mark in marks] == ["v2", "v3"]
    assert "v2 is marked bad since" in site.must("status").out
    # Back once more: there is nothing good before v1, and it says so.
    assert "before the one that is live" in site.must("rollback", "--yes", code=2).err
    # What is marked bad needs another decision of the gate, which a person may ask for.
    assert "is marked bad" in site.must("rollout", "v3", code=1).err
    site.must("gate", "--record")
    marks = site.must("status", "--format", "json").json()["bad"]
    assert {mark["release"]: mark["decided_anew"] for mark in marks}["v3"]
    site.must("verify")


def test_no_metric_is_in_the_way_of_a_rollback(out):
    """Whoever is called at night has none of the variables that the pipeline has."""
    site = out
    site.config(
        '  courses: {source: probe, url: "http://127.0.0.1:${port}/courses/", every: 1s, requests: 20}',
        '  courses: {source: prometheus, url: "${env.ONLY_IN_THE_PIPELINE}", every: 3s, lag: 1s,\n'
        '            bad: \'sum(bad{rev="${revision}"})\', total: \'sum(all{rev="${revision}"})\'}',
    )
    site.release("3-recommend")
    assert "ONLY_IN_THE_PIPELINE" in site.must("rollout", "v3", code=2).err
    site.must("rollback", "--yes", "--reason", "bad")
    assert site.serving() == {"v1"}
    site.must("verify")


def test_two_rollbacks_at_once_end_right(out):
    site = out
    both = [site.start("rollback", "--yes", "--reason", name) for name in ("one", "two")]
    try:
        codes = []
        for child in both:
            said = child.communicate(timeout=90)
            codes.append((child.returncode, said))
    finally:
        for child in both:
            end(child)
    assert {code for code, _ in codes} <= {0, 1, 3} and 0 in {code for code, _ in codes}, codes
    assert site.serving() == {"v1"}
    assert not site.must("status", "--format", "json").json()["rollouts"]
    site.must("verify")


def test_a_rollback_takes_over_from_a_rollout_that_was_killed(running):
    site, child = running
    child.send_signal(signal.SIGKILL)
    end(child)
    done = site.must("rollback", "--yes", "--reason", "now")
    assert site.serving() == {"v1"} and "v2-production-1 is under way and is ended" in done.err
    site.must("verify")


def test_a_rehearsal_goes_there_and_back_and_is_asked_for(out):
    site = out
    site.config("incidents:", "rollback: {rehearse_every: 30d}\nincidents:")
    warning = "the way back of production was last taken never, and `rollback: {rehearse_every: 30d}`"
    assert warning in site.must("plan").out and warning in site.must("status").out
    assert site.must("status", "--format", "json").json()["warnings"]
    assert "nobody can answer here" in site.must("rollback", "--rehearse", code=2).err
    done = site.must("rollback", "--rehearse", "--yes")
    assert "  web: from v2 to v1 and forward again\n" in done.err
    assert "Rehearsed the way back of production:\n  web: back to v1 in " in done.out
    assert site.serving() == {"v2"}
    assert warning not in site.must("plan").out and "Warning" not in site.must("status").out
    record = [e for e in site.events() if e["type"] == "rehearsal.done"]
    assert record[0]["body"]["ok"] and record[0]["body"]["targets"][0]["back_s"] > 0
    assert record[0]["body"]["targets"][0]["forth_s"] > 0
    assert "release.marked-bad" not in kinds(site), "nothing is wrong with v2"
    status = site.must("status", "--format", "json").json()
    assert status["targets"][0]["known_good"] == "v2" and not status["bad"]
    back = site.must("rollback", "--yes", "--reason", "in need")
    assert ", the median of the newest 2 ways back, " in back.err
    assert site.serving() == {"v1"}
    refused = site.must("rollback", "--rehearse", "--yes", code=1)
    assert "there is no way back to rehearse" in refused.err
    site.must("verify")


def stop_at(site, child, words, not_yet):
    """Stops the process as soon as its ledger holds `words`, which is before it holds `not_yet`;
    then kills it."""
    ledger = site.repository / ".git/sluice/ledger.git"
    tip = ledger / "refs/heads/release-ledger"
    until, seen = time.monotonic() + 60, None
    while time.monotonic() < until and child.poll() is None:
        now = tip.read_text().strip()
        if now != seen:
            child.send_signal(signal.SIGSTOP)
            said = site.scene.git("log", "-30", "--format=%s", "release-ledger", cwd=ledger)
            if words in said:
                child.send_signal(signal.SIGKILL)
                child.wait()
                assert not_yet not in said, "it was too quick to be stopped there"
                return
            child.send_signal(signal.SIGCONT)
            seen = now
        time.sleep(0.001)
    raise AssertionError(f"it never said {words!r}: {child.communicate() if child.poll() else ''}")


BACK, FORTH = "v1-production-rehearsal-{0}", "v2-production-rehearsal-{0}"
NEVER = "this is in no ledger"


def test_a_rehearsal_that_is_killed_is_brought_to_its_end(out):
    site = out
    left = "web may be on v1, where v2 belongs"
    # Where it is killed, and who comes next.
    for number, words, not_yet, comes in (
        (1, "lease.taken of " + BACK, "rollout.rolled-back of " + BACK, ["resume"]),
        (2, "rollout.rolled-back of " + BACK, "rollout.planned of " + FORTH, ["resume"]),
        (3, "lease.taken of " + FORTH, "rollout.rolled-back of " + FORTH, ["resume"]),
        (4, "rollout.rolled-back of " + FORTH, "rehearsal.done of " + BACK, ["resume"]),
        (5, "rollout.rolled-back of " + BACK, "rollout.planned of " + FORTH,
         ["rollout", "v3"]),  # which the gate refuses, once the rehearsal is over
    ):
        child = site.start("rollback", "--rehearse", "--yes")
        try:
            stop_at(site, child, words.format(number), not_yet.format(number))
        finally:
            end(child)
        status = site.must("status", "--format", "json").json()
        said = site.must("status").out
        restored = number == 4
        assert (left in said) != restored and (left in "".join(status["warnings"])) != restored
        if not restored:
            assert f"ATTENTION: rehearsal {BACK.format(number)} was left half-way: {left}; " \
                   "`sluice resume` brings it forward again" in said
            again = site.must("rollback", "--rehearse", "--yes", code=1)
            assert "resume" in again.err or "is under way" in again.err
        done = site.run(*comes)
        assert done.code == (1 if comes[0] == "rollout" else 0), done
        assert comes[0] != "rollout" or "the gate has not decided" in done.err, done
        assert ("ATTENTION" in done.err and left in done.err) or restored or number in (1, 3), done
        assert site.serving() == {"v2"}
        assert left not in site.must("status").out
        status = site.must("status", "--format", "json").json()
        assert status["targets"][0]["known_good"] == "v2" and not status["rollouts"]
    # And once is enough.
    before = len(site.events())
    assert "Nothing waits" in site.must("resume").out
    assert len(site.events()) == before
    records = [e for e in site.events() if e["type"] == "rehearsal.done"]
    assert [e["body"]["back"] for e in records] == [BACK.format(n) for n in range(1, 6)]
    assert all(e["body"]["ok"] for e in records)
    assert "release.marked-bad" not in kinds(site)
    site.must("verify")


def first_host_is_back(site):
    return "v1" in site.serving()


def back_half_is_over(site):
    ledger = site.repository / ".git/sluice/ledger.git"
    said = site.scene.git("log", "-30", "--format=%s", "release-ledger", cwd=ledger)
    return "rollout.rolled-back of " + BACK.format(1) in said


@pytest.mark.parametrize("when", [first_host_is_back, back_half_is_over])
def test_a_rehearsal_that_is_interrupted_still_comes_back(out, when):
    site = out
    child = site.start("rollback", "--rehearse", "--yes")
    try:
        wait_for(lambda: when(site), "it is time to interrupt it")
        child.send_signal(signal.SIGINT)
        done, err = child.communicate(timeout=60)
    finally:
        end(child)
    assert child.returncode == 0 and site.serving() == {"v2"}, (done, err)
    assert "rehearsal.done" in kinds(site) and "half-way" not in site.must("status").out
    site.must("verify")


def test_watch_brings_a_rehearsal_to_its_end_and_a_rollback_ends_it(out):
    site = out
    child = site.start("rollback", "--rehearse", "--yes")
    try:
        stop_at(site, child, "rollout.rolled-back of " + BACK.format(1),
                "rollout.planned of " + FORTH.format(1))
    finally:
        end(child)
    assert site.serving() == {"v1"}
    watch = site.start("watch", "--every", "1s")
    try:
        wait_for(lambda: site.serving() == {"v2"} and "rehearsal.done" in kinds(site), "v2 again")
        out, err = ends_in(watch, 5)
        assert f"{BACK.format(1)}: a rehearsal was left half-way" in err, err
    finally:
        end(watch)
    # Whoever decides otherwise meanwhile is not overruled.
    child = site.start("rollback", "--rehearse", "--yes")
    try:
        stop_at(site, child, "lease.taken of " + BACK.format(2),
                "rollout.rolled-back of " + BACK.format(2))
    finally:
        end(child)
    shown = site.must("rollback", "--yes", "--reason", "v1 it is", "--to", "v1")
    assert "ATTENTION: rehearsal" in shown.err and "; this ends it" in shown.err
    assert site.serving() == {"v1"}
    assert "Nothing waits" in site.must("resume").out
    assert site.serving() == {"v1"} and "half-way" not in site.must("status").out
    site.must("verify")


def test_a_rollout_goes_out_with_a_rehearsal_overdue_and_says_so(site):
    site.config("incidents:", "rollback: {rehearse_every: 30d}\nincidents:")
    site.release("2-search")
    done = site.must("rollout", "v2")
    assert "Warning: the way back of production was last taken never" in done.err
    noted = [e for e in site.events() if e["type"] == "rehearsal.overdue"]
    assert noted[0]["rollout"] == "v2-production-1"
    site.must("verify")
    site.config("rehearse_every: 30d", "rehearse_every: 10s")
    bad = site.must("check", code=2)
    assert "`rehearse_every` must be an hour or more, such as `30d`" in bad.err + bad.out


# ---- watching ------------------------------------------------------------------------------------


def cpu_s(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kb(pid):
    return int(next(l for l in open(f"/proc/{pid}/status") if l.startswith("VmRSS")).split()[1])


def ends_in(child, seconds):
    began = time.monotonic()
    child.send_signal(signal.SIGTERM)
    said = child.communicate(timeout=seconds + 20)
    assert time.monotonic() - began <= seconds, said
    assert child.returncode == 0, said
    return said


def test_watch_goes_on_with_what_was_left_and_lets_go_of_it(slow):
    site = slow
    child = site.start("rollout", "v2")
    try:
        wait_for(lambda: phase(site) == "step bake", "v2 bakes")
    finally:
        child.send_signal(signal.SIGKILL)
        end(child)
    watch = site.start("watch", "--every", "1s")
    try:
        lease = lambda: site.must("status", "--format", "json").json()["rollouts"][0]["driven"]  # noqa: E731
        wait_for(lease, "it is driven again")
        site.must("hold", "v2", "--reason", "let us look")
        wait_for(lambda: phase(site) == "held", "it is held")
        time.sleep(2)
        assert lease(), "what has traffic is watched while it is held"
        site.must("resume")  # beside it: the lease is with the watch
        ends_in(watch, 5)  # a second, and what the sanitizers need to look for leaks
        assert not lease(), "its lease is given back"
        assert phase(site) == "held" and site.serving() == {"v1", "v2"}, "nothing was cancelled"
    finally:
        end(watch)
    again = site.start("watch", "--every", "1s")
    try:
        site.must("promote", "v2", "--reason", "fine")
        wait_for(lambda: phase(site) == "bake", "all of it is out")
        site.must("promote", "v2", "--reason", "fine")
        wait_for(lambda: phase(site) is None, "it is done")
        assert site.serving() == {"v2"}
        ends_in(again, 5)
    finally:
        end(again)
    site.must("verify")


def test_watch_waits_for_people_quietly(site):
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    site.release("2-search")
    site.must("rollout", "v2", "--wait", "suspend")
    remote, away = site.scene.directory / "learn.git", site.scene.directory / "away.git"
    watch = site.start("watch", "--every", "1s")
    try:
        time.sleep(4)
        entries, cpu, memory = len(site.events()), cpu_s(watch.pid), rss_kb(watch.pid)
        time.sleep(10)
        assert len(site.events()) == entries, "waiting writes nothing"
        assert cpu_s(watch.pid) - cpu < 2.5, "no busy loop"  # sanitized; 0.1 s when released
        remote.rename(away)
        time.sleep(4)
        away.rename(remote)
        assert watch.poll() is None, "it outlives a remote that is away"
        assert rss_kb(watch.pid) < memory * 1.3 + 4096
        site.must("approve", "v2-production-1", "--yes")
        wait_for(lambda: site.serving() == {"v2"} and phase(site) is None, "v2 is out", 60)
        out, err = ends_in(watch, 5)
        assert "the ledger's remote" in err and "answers again" in err, err
    finally:
        end(watch)
    site.must("verify")


def test_watch_prints_a_unit_that_systemd_takes(site, tmp_path):
    done = site.must("watch", "--unit", "--every", "45s")
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "KillMode=mixed", f"User={ME}"):
        assert line in done.out.splitlines(), done
    assert 'watch --every 45s' in done.out and f'-C "{site.repository}' in done.out
    unit = tmp_path / "sluice-watch.service"
    unit.write_text(done.out)
    try:
        checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    except FileNotFoundError:
        return  # there is no systemd here
    said = [line for line in checked.stderr.splitlines() if "sluice-watch" in line]
    assert checked.returncode == 0 and not said, checked.stderr


# ---- queueing ------------------------------------------------------------------------------------


def test_a_queue_goes_in_the_order_of_coming(slow):
    site = slow
    first = site.start("rollout", "v2")
    waiting = []
    try:
        wait_for(lambda: phase(site) == "step bake", "v2 bakes")
        late = site.run("rollout", "v2a", "--queue", "2s")
        assert late.code == 1 and "production was not free within 2 s" in late.err, late
        for name in ("v2b", "v2c"):
            waiting.append(site.start("rollout", name, "--queue", "5m"))
            wait_for(lambda: len(site.must("status", "--format", "json").json()["queue"])
                     == len(waiting), f"{name} is in the queue")
        assert "v2b of " in site.must("status").out
        gone = site.start("rollout", "v2d", "--queue", "5m")
        waiting.append(gone)
        wait_for(lambda: len(site.must("status", "--format", "json").json()["queue"]) == 3, "v2d")
        gone.send_signal(signal.SIGINT)
        out, err = gone.communicate(timeout=30)
        assert gone.returncode == 130 and "nothing was touched" in err, (out, err)
        site.must("abort", "v2", "--reason", "make room")
        wait_for(lambda: phase(site, "v2b-production-1") == "step bake", "v2b has its turn", 60)
        left = site.must("status", "--format", "json").json()["queue"]
        assert [place["release"] for place in left] == ["v2c"]
        site.must("abort", "v2b", "--reason", "make room")
        wait_for(lambda: phase(site, "v2c-production-1") == "step bake", "v2c has its turn", 60)
    finally:
        for child in [first, *waiting]:
            end(child)
    site.must("rollback", "--yes", "--reason", "the end of the test")
    assert site.serving() == {"v1"}
    site.must("verify")


# ---- cancelling ----------------------------------------------------------------------------------


def cancel(child):
    """As the runner does: SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL."""
    for word, seconds in ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 10)):
        child.send_signal(word)
        try:
            return child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
    return end(child)


@pytest.mark.parametrize("where, slower, on_cancel", [
    ("waiting", "", "rollback"),
    ("preparing", "", "rollback"),
    ("shifting", "sleep 3; ", "rollback"),
    ("step bake", "", "rollback"),
    ("step bake", "sleep 12; ", "rollback"),  # the way back takes longer than the runner waits
    ("step bake", "", "hold"),
    ("bake", "", "rollback"),
])
def test_cancelled_as_the_runner_does(slow, where, slower, on_cancel):
    site = slow
    site.config("incidents:", f"rollback: {{on_cancel: {on_cancel}}}\nincidents:")
    if where == "waiting":
        site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    if where == "shifting":
        site.config('restart: "', f'restart: "{slower}')
    elif slower:  # only the way back is slow
        site.config('restart: "', 'restart: "case $SLUICE_RELEASE in v1) ' + slower + ';; esac; ')
    site.decide()
    child = site.start("rollout", "v2")
    try:
        if where == "bake":
            wait_for(lambda: phase(site) == "step bake", "it bakes")
            site.must("promote", "v2", "--reason", "on with it")
        if where == "preparing":
            wait_for(lambda: phase(site) is not None, "it has begun")
        else:
            wait_for(lambda: phase(site) == where, where)
        out, err = cancel(child)
    finally:
        end(child)
    assert "AddressSanitizer" not in err and "runtime error" not in err, err
    # Over just when SIGTERM comes, it is ended by that; to a shell that is 143 too.
    assert child.returncode in (130, 143, -signal.SIGTERM, -signal.SIGKILL), (out, err)
    for _ in range(6):
        if phase(site) in (None, "held"):
            break
        site.run("resume", "--wait", "block")
    if on_cancel == "hold":
        assert phase(site) == "held" and "v2" in site.serving()
        site.must("abort", "v2", "--reason", "cancelled")
        site.must("resume", code=1)
    assert phase(site) is None
    assert site.serving() == {"v1"}
    site.must("verify")


# ---- looking -------------------------------------------------------------------------------------


def test_status_tells_all_about_one_rollout(running):
    site, child = running
    said = site.must("status", "v2").out
    for words in ("v2-production-1: release v2 in production", "phase     step bake, since ",
                  "step      1 of 2: [50%] 100%", "until     ", "target    web: shift 50 %, settled; "
                  "the way back is to v1", "courses on web", f"driven    by {ME}",
                  "back      sluice rollback --stage production"):
        assert words in said, said
    one = site.must("status", "v2", "--format", "json").json()["rollouts"][0]
    assert one["driven"] and one["phase"] == "step bake" and one["until"]
    assert "there is no rollout v9" in site.must("status", "v9", code=2).err
    assert "--watch draws on a terminal" in site.must("status", "--watch", code=2).err
    site.must("abort", "v2")
    child.communicate(timeout=60)


@pytest.mark.parametrize("killed", [False, True])
def test_a_queue_waits_for_a_rehearsal_and_ends_one_that_was_left(out, killed):
    site = out
    site.decide()
    rehearsal = site.start("rollback", "--rehearse", "--yes")
    queued = None
    try:
        wait_for(lambda: "v1" in site.serving(), "the rehearsal has begun")
        refused = site.must("rollout", "v3", code=1)
        assert "is under way: nothing was touched; `--queue TIME` waits" in refused.err
        queued = site.start("rollout", "v3", "--queue", "5m")
        wait_for(lambda: site.must("status", "--format", "json").json()["queue"], "v3 is in the queue")
        if killed:
            rehearsal.send_signal(signal.SIGKILL)
        _, said = end(rehearsal) if killed else rehearsal.communicate(timeout=60)
        out_, err = queued.communicate(timeout=120)
    finally:
        end(rehearsal)
        if queued:
            end(queued)
    assert queued.returncode == 0 and "v3 done in production" in out_, (out_, err)
    assert f"after rollout {BACK.format(1)}" in err or killed, err
    assert ("was left half-way" in err) == killed, err
    assert site.serving() == {"v3"}
    order = [k for k in kinds(site) if k in ("rehearsal.done", "rollout.done")]
    assert order[-2:] == ["rehearsal.done", "rollout.done"], order
    site.must("verify")
