"""The one key that approves, denies and rolls back, pressed on a real terminal."""

import os
import pty
import pwd
import re
import select
import signal
import subprocess
import termios
import time

import pytest

from conftest import SLUICE, end
from test_prometheus import wait_for

ME = pwd.getpwuid(os.geteuid()).pw_name


class Terminal:
    """sluice on a terminal of its own, as the session's leader: Ctrl-C and hanging up reach it."""

    def __init__(self, site, *words):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.said = ""
        self.child = subprocess.Popen(
            [SLUICE, *words],
            cwd=site.repository,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0),
        )

    def read_until(self, words, seconds=60):
        until = time.monotonic() + seconds
        while words not in self.said:
            assert time.monotonic() < until, f"it never said {words!r}:\n{self.said}"
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.said += os.read(self.master, 65536).decode()
                except OSError:  # nobody holds the other side any more
                    break
        assert words in self.said, self.said

    def press(self, keys):
        os.write(self.master, keys.encode())

    def modes(self):
        return termios.tcgetattr(self.slave)[3]

    def ends(self, seconds=60):
        """The exit code; what it said goes to `said`."""
        until = time.monotonic() + seconds
        while self.child.poll() is None:
            assert time.monotonic() < until, f"it does not end:\n{self.said}"
            if select.select([self.master], [], [], 0.05)[0]:
                self.said += os.read(self.master, 65536).decode()
        while select.select([self.master], [], [], 0.05)[0]:
            self.said += os.read(self.master, 65536).decode()
        self.said = self.said.replace("\r\n", "\n")
        assert termios.tcgetattr(self.slave) == self.before, "the terminal is as it was before"
        assert "AddressSanitizer" not in self.said and "LeakSanitizer" not in self.said, self.said
        return self.child.returncode

    def close(self):
        end(self.child)
        for side in (self.master, self.slave):
            try:
                os.close(side)
            except OSError:
                pass


@pytest.fixture
def terminal(site):
    opened = []

    def open_one(*words):
        opened.append(Terminal(site, *words))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def out(site):
    """v2 is out, and v1 is what a rollback returns to."""
    site.go_out("2-search", "v2")
    return site


@pytest.fixture
def waiting(site):
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    site.release("2-search")
    site.must("rollout", "v2", "--wait", "suspend")
    return site


def test_y_rolls_back_after_what_is_at_stake_was_shown(out, terminal):
    first = terminal("rollback", "--reason", "parents call")
    first.read_until("Go? [y/N] ")
    assert not first.modes() & (termios.ICANON | termios.ECHO), "one key, without Enter"
    shown = first.said.replace("\r\n", "\n")
    assert "Roll back production\n  web: from v2 to v1\n" in shown
    assert "  expected: not known, it was never measured here; after " in shown
    assert "  not taken back: what the release has written to databases and queues\n" in shown
    first.press("y")
    assert first.ends() == 0, first.said
    assert "Go? [y/N] yes\n" in first.said and "production is back on v1" in first.said
    assert out.serving() == {"v1"}
    again = terminal("rollback", "--to", "v1")
    again.read_until("Go? [y/N] ")
    assert "  expected: " in again.said and " s, as the last time, " in again.said
    again.press("n")
    assert again.ends() == 1


def test_the_prompt_tells_what_a_rehearsal_has_taught(out, terminal):
    """How long it will take, since when that is known, and what stays; then one key, and Ctrl-C."""
    rehearse = terminal("rollback", "--rehearse")
    rehearse.read_until("Go? [y/N] ")
    assert "  web: from v2 to v1 and forward again\r\n" in rehearse.said
    rehearse.press("y")
    assert rehearse.ends() == 0, rehearse.said
    events = len(out.events())
    prompt = terminal("rollback")
    prompt.read_until("Go? [y/N] ")
    shown = prompt.said.replace("\r\n", "\n")
    assert "Roll back production\n  web: from v2 to v1\n" in shown
    assert re.search(r"    known good since \d{4}-\d\d-\d\dT\d\d:\d\dZ \(\d.* ago\)\n", shown), shown
    assert re.search(r"  expected: [\d.]+ m?s, the median of the newest 2 ways back, \d.* ago; after", shown), shown
    assert "  not taken back: what the release has written to databases and queues\n" in shown
    prompt.press("\x03")
    assert prompt.ends(seconds=20) == 130, prompt.said
    assert "interrupted: nothing was touched" in prompt.said
    assert out.serving() == {"v2"} and len(out.events()) == events, "everything is as it was"
    again = terminal("rollback", "--reason", "parents call")
    again.read_until("Go? [y/N] ")
    again.press("y")
    assert again.ends() == 0 and "production is back on v1" in again.said, again.said
    assert out.serving() == {"v1"}
    out.must("verify")


def test_any_other_key_touches_nothing(out, terminal):
    for key in ("n", "N", "x", "\r", "\x04", "\x1b[A"):
        prompt = terminal("rollback")
        prompt.read_until("Go? [y/N] ")
        prompt.press(key)
        assert prompt.ends() == 1, key
        assert "Go? [y/N] no\nsluice: nothing was touched\n" in prompt.said, key
        assert out.serving() == {"v2"}
    early = terminal("rollback")
    early.press("y")  # typed before the question: meant for something else
    early.read_until("Go? [y/N] ")
    time.sleep(1)
    assert early.child.poll() is None, early.said
    early.press("n")
    assert early.ends() == 1
    prompt = terminal("rollback")
    prompt.read_until("Go? [y/N] ")
    prompt.press("\x03")
    assert prompt.ends(seconds=10) == 130, prompt.said  # and the terminal is as it was before
    assert "interrupted: nothing was touched" in prompt.said
    done = out.must("rollback", code=2)
    assert "nobody can answer here: add --yes to roll back without a question" in done.err
    assert out.serving() == {"v2"}


def test_a_terminal_that_goes_away_touches_nothing(out, terminal):
    prompt = terminal("rollback")
    prompt.read_until("Go? [y/N] ")
    os.close(prompt.slave)
    os.close(prompt.master)
    assert prompt.child.wait(timeout=20) in (1, -signal.SIGHUP)
    assert out.serving() == {"v2"}
    assert not out.must("status", "--format", "json").json()["rollouts"]


def answers(site):
    return [event for event in site.events() if event["type"] == "approval.answered"]


def test_an_answer_is_one_key(waiting, terminal):
    for command, key, code, words in (
        ("approve", "n", 1, "nothing was recorded"),
        ("approve", "\x03", 130, "interrupted: nothing was recorded"),
        ("deny", "x", 1, "nothing was recorded"),
        ("approve", "y", 0, f"Approved by {ME}"),
    ):
        prompt = terminal(command, "v2-production-1")
        prompt.read_until("Approve? [y/N] " if command == "approve" else "Deny? [y/N] ")
        shown = prompt.said.replace("\r\n", "\n")
        asked = shown[shown.index("Release v2 to production?\n"):].split("\n")[1:6]
        assert asked[0].startswith("  gate      pass, 20") and "; risk " in asked[0], shown
        assert asked[1].startswith("  touches   R-5 (exposure 9), R-4 (6), in courses/"), shown
        assert asked[1].endswith("; no migration"), shown
        assert asked[2] == "  reaches   web (from v1): 50 % then 100 % of its traffic", shown
        assert asked[3].startswith("  way back  by itself to v1 when the figures turn bad; "), shown
        assert asked[4] == f"  answers   1 of: {ME}", shown
        prompt.press(key)
        assert prompt.ends() == code, prompt.said
        assert words in prompt.said
        assert len(answers(waiting)) == (1 if code == 0 else 0)


def test_a_no_is_one_key_and_both_need_yes_without_a_terminal(waiting, terminal):
    done = waiting.must("approve", "v2-production-1", code=2)
    assert "nobody can answer here: add --yes to approve without a question" in done.err
    done = waiting.must("deny", "v2-production-1", code=2)
    assert "add --yes to deny without a question" in done.err
    prompt = terminal("deny", "v2-production-1")
    prompt.read_until("Deny? [y/N] ")
    prompt.press("y")
    assert prompt.ends() == 0 and f"Denied by {ME}" in prompt.said, prompt.said
    assert len(answers(waiting)) == 1 and not answers(waiting)[0]["body"]["granted"]


@pytest.mark.parametrize("key, code, served", [("y", 0, "v2"), ("n", 1, "v1"), ("\x03", 130, "v1")])
def test_a_rollout_that_waits_on_this_terminal_takes_the_key_here(site, terminal, key, code, served):
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    site.release("2-search")
    rollout = terminal("rollout", "v2")
    rollout.read_until("y = yes, n = no")
    time.sleep(0.5)
    assert not rollout.modes() & (termios.ICANON | termios.ECHO)
    rollout.press(key)
    assert rollout.ends() == code, rollout.said
    assert site.serving() == {served}
    said = [answer["body"]["granted"] for answer in answers(site)]
    assert said == ([key == "y"] if key in "yn" else [])
    site.must("verify")


def test_a_key_that_was_pressed_can_be_taken_back(site, terminal):
    site.config("    steps:", f"    approval: {{from: [{ME}, another], count: 2}}\n    steps:")
    site.release("2-search")
    rollout = terminal("rollout", "v2")
    rollout.read_until("y = yes, n = no")
    time.sleep(0.5)
    rollout.press("y")
    wait_for(lambda: answers(site), "recorded")
    site.must("approve", "--withdraw", "v2-production-1", "--comment", "too early")
    taken, = [event for event in site.events() if event["type"] == "answer.withdrawn"]
    assert taken["body"]["answer"] == answers(site)[0]["id"]
    assert "has approved nothing that could be taken back" in site.must(
        "approve", "--withdraw", "v2-production-1", code=2).err
    rollout.press("\x03")
    assert rollout.ends() == 130 and site.serving() == {"v1"}
    site.must("verify")


def test_the_reason_is_asked_for_when_it_is_over(out, terminal):
    prompt = terminal("rollback")
    prompt.read_until("Go? [y/N] ")
    prompt.press("y")
    prompt.read_until("Why was it taken back? One line; Enter alone says it later: ")
    assert out.serving() == {"v1"}, "nothing waits for a sentence"
    prompt.press("parents call\n")
    assert prompt.ends() == 0, prompt.said
    assert "reason    parents call" in out.must("status", "v1-production-rollback-1").out


def test_status_is_drawn_anew_until_ctrl_c(site, terminal):
    picture = terminal("status", "--watch")
    picture.read_until("No rollout is under way.")
    seen = picture.said.count("Ctrl-C ends it")
    time.sleep(3)
    picture.press("\x03")
    assert picture.ends() == 0, picture.said
    assert picture.said.count("Ctrl-C ends it") > seen
