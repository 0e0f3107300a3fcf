"""What a rollout tells the workflow that runs it: the step's summary, its outputs and its log, also
where the words of strangers stand in them."""

import datetime
import itertools
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import ROOT
from hostile_texts import ATTACKS, text
from test_calendar import ME, UTC, add, freeze
from test_github_rollout import waits
from test_hostile_texts import markdown_is_ours, nothing_carried_out, plain, sluice
from test_rollout import wait_for

OF_THE_GATE = {"decision", "summary-file", "decision-file"}
SUSPEND = "--wait=suspend"
END = "innocentend"  # comes last: where it is shown, all before it was
HOSTILE = [
    ("set-output", "line-feed", "carriage-return", "command-v1-inside"),
    ("resume-guessed", "stop-guessed", "cr-lf"),
    ("heredoc", "heredoc-guessed", "percent-encoded", "property"),
    ("link", "reference", "pixel"),
    ("script", "comment-open", "marker", "heading"),
    ("mention", "team", "issue", "emoji"),
    ("table", "fence", "autolink-www"),
    ("csi", "osc-8", "bell", "overwrite"),
    ("bidi", "zero-width", "line-separator", "next-line", "vertical-tab"),
    ("c1", "c1-bytes", "invalid", "overlong"),
]


class Step:
    """sluice as a workflow's step runs it, each time with files of its own."""

    def __init__(self, site, folder):
        self.site, self.folder, self.count, self.delimiters = site, folder, 0, {}

    def run(self, *words, code=0):
        self.count += 1
        told = self.folder / f"outputs-{self.count}", self.folder / f"summary-{self.count}"
        env = {**os.environ, "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(self.folder),
               "GITHUB_OUTPUT": str(told[0]), "GITHUB_STEP_SUMMARY": str(told[1])}  # fmt: skip
        self.done = sluice(self.site.repository, env, *words, codes=(code,))
        self.outputs, self.summary = (path.read_bytes() if path.exists() else b"" for path in told)

    def rollout(self, *words, code=0, heading):
        """Runs what ends in a summary; what of it people see, and the outputs by name."""
        self.run(*words, code=code)
        page = plain(self.summary)
        assert page.startswith(f"## {heading}\n") and page.count("## ") == 1, page
        self.stays_text()
        return page, self.values()

    def values(self):
        """As the runner reads them; nothing else may be in the file."""
        *lines, last = self.outputs.decode().split("\n")
        found, rest = {}, iter(lines)
        assert last == "", "a line that does not end"
        for line in rest:
            name, heredoc, delimiter = line.partition("<<")
            assert heredoc and re.fullmatch("[a-z-]+", name) and name not in found, line
            assert re.fullmatch("sluice_[0-9a-f]{32}", delimiter), line
            value = []
            while (inside := next(rest)) != delimiter:
                value.append(inside)
            found[name] = "\n".join(value)
            assert delimiter not in found[name], found
            assert self.delimiters.setdefault(delimiter, self.count) == self.count, "it was guessable"
        assert set(found) == promised() - OF_THE_GATE, found
        return found

    def stays_text(self):
        shown = re.sub(r" \d\d:\d\d:\d\d UTC", "", self.summary.decode())
        markdown_is_ours(shown.encode(), ["h2"])
        nothing_carried_out(self.done)


def promised():
    outputs = (ROOT / "action.yml").read_text().split("\noutputs:\n")[1].split("\n\n")[0]
    return set(re.findall("^  ([a-z-]+):", outputs, re.M))


def moment(value):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value), value
    return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))


def is_now(value):
    return abs(datetime.datetime.now(UTC) - moment(value)) < datetime.timedelta(minutes=1)


@pytest.fixture
def step(site, tmp_path):
    site.config("step_bake: 3s", "step_bake: 1s", "    bake: 2s", "    bake: 1s")
    return Step(site, tmp_path)


def at_once(site):
    site.config("steps: [50%, 100%]", "steps: [100%]",
                "every: 1s, requests: 20}", "every: 1s, requests: 20, max: 5%}")


# ---- what came of it ----------------------------------------------------------------------------


def test_what_is_out_what_is_taken_back_by_itself_and_what_by_hand(site, step):
    at_once(site)
    site.release("2-search")
    page, values = step.rollout("rollout", "v2", heading="✅ v2 done in production")
    assert "| web | v1 | v2 |" in page and "sluice " not in page, page
    assert values == {"state": "done", "release": "v2", "rollout": "v2-production-1", "resume-at": ""}

    site.config("steps: [100%]", "steps: [50%, 100%]", ", max: 5%}", "}", "step_bake: 1s", "step_bake: 5s")
    site.release("3-recommend")
    heading = "↩️ v3 rolled-back in production"
    page, values = step.rollout("rollout", "v3", code=1, heading=heading)
    assert "courses on web" in page and "| web | v2 | v3 |" in page, page
    assert "`sluice show v3-production-1`" in page, page
    assert values == {"state": "rolled-back", "release": "v3", "rollout": "v3-production-1",
                      "resume-at": ""}  # fmt: skip

    heading = "↩️ production is back on v1"
    page, values = step.rollout("rollback", "--yes", "--to", "v1", heading=heading)
    assert "| web | v2 | v1 |" in page, page
    assert "`sluice rollback --explain v1-production-rollback-1 --reason TEXT`" in page, page
    assert values == {"state": "rolled-back", "release": "v1", "rollout": "v1-production-rollback-1",
                      "resume-at": ""}  # fmt: skip


def test_what_waits_says_for_whom_how_they_answer_and_when_it_is_looked_at_again(site, step):
    waits(site, ME)
    site.release("2-search")
    heading = "⏸ v2 waiting in production"
    page, values = step.rollout("rollout", "v2", SUSPEND, heading=heading)
    assert "| web | v1 | v2 |" in page and "`sluice approve v2-production-1`" in page, page
    assert "`sluice resume`" in page, page
    assert is_now(values["resume-at"]), values
    assert values == {**values, "state": "waiting", "release": "v2", "rollout": "v2-production-1"}
    assert step.rollout("resume", heading=heading)[0] == page
    again, _ = step.rollout("rollout", "v2", SUSPEND, "--require=done", code=1, heading=heading)
    assert again == page

    site.must("approve", "v2-production-1", "--yes")
    add(site, f"freezes: [{freeze('exams', -5, 60)}]")
    page, values = step.rollout("resume", heading=heading)
    assert "freeze" in page and "exams" in page and "sluice approve" not in page, page
    ends = moment(values["resume-at"]) - datetime.datetime.now(UTC)
    assert datetime.timedelta(minutes=58) < ends < datetime.timedelta(minutes=60), values

    site.must("abort", "v2-production-1", "--reason", "not today")
    page, values = step.rollout("resume", code=1, heading="↩️ v2 rolled-back in production")
    assert f"aborted by {ME}: not today" in page, page
    assert values["state"] == "rolled-back" and values["resume-at"] == ""


def test_what_is_held_says_who_held_it_and_how_it_goes_on(site, step):
    site.name_a_watcher()
    site.config("step_bake: 1s", "step_bake: 60s")
    site.release("2-search")

    def hold():
        wait_for(lambda: site.serving() == {"v1", "v2"}, "the first step")
        site.must("hold", "v2-production-1", "--reason", "look at the logs")

    with ThreadPoolExecutor() as pool:
        held = pool.submit(hold)
        page, values = step.rollout("rollout", "v2", SUSPEND, code=1, heading="✋ v2 held in production")
        held.result()
    assert f"held by {ME}: look at the logs" in page and "| web | v1 | v2 |" in page, page
    assert "`sluice promote v2-production-1 --reason TEXT`" in page, page
    assert "`sluice abort v2-production-1`" in page, page
    assert values == {"state": "held", "release": "v2", "rollout": "v2-production-1", "resume-at": ""}


def test_what_is_held_before_it_begins_asks_for_more_than_an_approval(site, step):
    """Whoever has agreed already is not asked again: a hold ends by `promote`."""
    waits(site, ME)
    site.release("2-search")
    step.run("rollout", "v2", SUSPEND)
    step.run("hold", "v2-production-1", "--reason", words_of(HOSTILE[0]))
    nothing_carried_out(step.done)
    step.run("approve", "v2-production-1", "--yes", "--comment", words_of(HOSTILE[1]))
    nothing_carried_out(step.done)
    step.run("resume")
    page = plain(step.summary)
    assert f"held by {ME}: " in page and END in page and step.values()["rollout"] == "v2-production-1"
    assert "`sluice promote v2-production-1" in page and "sluice approve" not in page, page
    step.stays_text()
    step.run("resume", "--format", "json")
    nothing_carried_out(step.done)


# ---- the words of strangers ---------------------------------------------------------------------


def words_of(names, between="\n"):
    """Of these attacks one text, as an argument can carry it."""
    raw = [text(attack, "/nowhere") for attack in ATTACKS if attack[0] in names]
    assert len(raw) == len(names), names
    return between.join(one.decode("utf-8", "surrogateescape") for one in [*raw, END.encode()])


def a_name(names):
    """Of these attacks as much as a name may hold."""
    name = re.sub("\\s+", " ", words_of(names, " "))
    assert len(name.encode()) <= 100, name
    return name


def test_the_reasons_that_people_give_stay_text(site, step):
    waits(site, ME)
    at_once(site)
    site.config("incidents:", "emergency: {bake: 2s}\nincidents:")
    site.release("2-search")
    answers = itertools.cycle([("abort", "--reason", "cancelled"), ("deny", "--comment", "denied")])
    pairs = [one + other for one, other in zip(HOSTILE[::2], HOSTILE[1::2])]
    for number, (names, (verb, option, state)) in enumerate(zip(pairs, answers), 1):
        said, name = words_of(names), f"v2-production-{number}"
        emergency = ["--emergency", "P1", "--incident", "INC-7", "--reason", said]
        step.run("rollout", "v2", SUSPEND, *emergency)
        step.stays_text()
        step.run(verb, name, option, said, *["--yes"] * (verb == "deny"))
        nothing_carried_out(step.done)
        page, values = step.rollout("resume", code=1, heading=f"⛔ v2 {state} in production")
        assert END in page, page
        assert values == {"state": state, "release": "v2", "rollout": name, "resume-at": ""}
    step.run("rollback", "--yes", "--to", "v1", "--reason", words_of(pairs[0]))
    page = plain(step.summary)
    assert END in page and "--explain" not in page and step.values()["state"] == "rolled-back", page
    step.stays_text()


def test_what_a_host_says_as_it_fails_stays_text(site, step):
    """The last line of a command is told; a runner ends one at a carriage return too."""
    said, script = site.scene.directory / "bin/said", site.scene.directory / "bin/fragile"
    script.write_text(
        f"#!/bin/sh\ncase $(cat current/RELEASE) in v2*) cat {said} >&2; exit 1; esac\n"
        f'exec "{site.scene.directory}/bin/host" restart\n')
    script.chmod(0o755)
    site.config("bin/host restart", "bin/fragile")
    site.scene.commit("2-search")
    for names in (HOSTILE[0] + HOSTILE[3], HOSTILE[7] + HOSTILE[9]):
        site.decide()
        line = words_of(names, "\r").replace("\n", "\r")
        said.write_bytes(line.encode("utf-8", "surrogateescape"))
        page, values = step.rollout("rollout", "v2", code=1, heading="↩️ v2 rolled-back in production")
        assert "restart\\` says: " in page and END in page, page
        assert values["state"] == "rolled-back" and values["resume-at"] == ""
    assert site.serving() == {"v1"}


@pytest.mark.parametrize("stage, environment, target, frozen", [
    (("mention", "team"), ("script",), ("backticks", "pixel"), ("link", "emoji")),
    (("marker", "comment-open"), ("reference",), ("table", "fence"), ("issue", "heading")),
])  # fmt: skip
def test_the_names_of_the_configuration_stay_text(site, step, stage, environment, target, frozen):
    stage, environment, target, frozen = map(a_name, (stage, environment, target, frozen))
    waits(site, ME)
    site.config(
        "stage: production\n", f"stage: {json.dumps(stage)}\n    environment: {json.dumps(environment)}\n",
        "\n  web:\n", f"\n  {json.dumps(target)}:\n", "targets: [web]", f"targets: [{json.dumps(target)}]")
    site.must("adopt")
    commit = site.release("2-search")
    step.run("rollout", "v2", SUSPEND)
    assert step.values() == {**step.values(), "state": "waiting", "rollout": f"v2-{stage}-1"}
    assert plain(step.summary).count(END) == 3, step.summary
    step.stays_text()
    step.run("approve", f"v2-{stage}-1", "--yes")
    nothing_carried_out(step.done)
    add(site, f"freezes: [{freeze(json.dumps(frozen), -5, 60)}]")
    step.run("resume")
    assert plain(step.summary).count(END) == 3, step.summary
    step.stays_text()
    step.run("rollout", "v3", "--commit", commit, code=1)
    assert b"nothing was touched: freeze `" in step.done.stderr and not step.summary + step.outputs
    nothing_carried_out(step.done)
    step.run("rollback", "--yes", "--to", "v1", "--reason", "enough")
    assert plain(step.summary).count(END) == 2, step.summary
    step.stays_text()


STEER = {"set-output", "command-v1-inside", "line-feed", "carriage-return", "cr-lf", "line-separator",
         "next-line", "vertical-tab", "csi", "osc-8", "bell", "c1", "overwrite", "bidi", "zero-width",
         "property", "combining"}  # fmt: skip


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one[0] in STEER], ids=lambda one: one[0])
def test_names_that_steer_what_reads_them_are_refused(site, step, attack):
    site.config("stage: production\n", f"stage: {json.dumps(text(attack, '/nowhere').decode())}\n")
    step.run("check", code=2)
    assert b"sluice.yml:" in step.done.stdout and b" a name is 1 to 100 bytes" in step.done.stdout
    assert b"1 error" in step.done.stdout, step.done.stdout
    nothing_carried_out(step.done)
