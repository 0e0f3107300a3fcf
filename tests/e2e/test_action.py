"""action.yml and .ci/action, with the environment that a runner would give them."""

import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import time

import pytest

from conftest import ROOT, SLUICE, end

MACHINE = os.uname().machine
HOSTILE = [
    "$(touch x)",
    "`touch x`",
    "; touch x;",
    "a' ; touch x #",
    '" && touch x && "',
    "--config=$(touch x)",
    "* ?",
    "-",
    "${IFS}touch${IFS}x",
    "%0A::set-output name=x::y",
]

MAYBE = ["STAGE", "TO", "COMMENT", "REASON", "ARTIFACTS", "REQUIRE"]  # empty for most commands

# Stands for sluice: writes down its words, each ended by a NUL.
WORDS = '#!/bin/sh\nprintf "%s\\0" "$@" >"$WORDS"\npwd >"$WORDS.folder"\n'
# Writes down that it was told to end, and by which process it stands.
PATIENT = """#!/usr/bin/python3
import os, signal, sys, time
def told(number, frame):
    open(os.environ["WORDS"], "w").write(f"{number} {os.getpid()}")
    sys.exit(7)
signal.signal(signal.SIGTERM, told)
signal.signal(signal.SIGINT, told)
print("ready", flush=True)
time.sleep(60)
"""


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def runner(tmp_path):
    return Runner(tmp_path)


class Runner:
    """A job's folders; `find` and `run` are what the two steps of action.yml execute."""

    def __init__(self, folder):
        self.folder = folder
        self.action = folder / "the action"
        self.workspace = folder / "work space"
        self.output = folder / "output"
        self.words = folder / "words"
        self.workspace.mkdir()
        self.output.touch()
        script(self.action / ".ci/action", (ROOT / ".ci/action").read_text())
        script(self.action / ".ci/packages", "#!/bin/sh\necho installing: $*\nexit 9\n")

    def start(self, half, **inputs):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GITHUB_OUTPUT": str(self.output),
            "WORDS": str(self.words),
            "SLUICE_ACTION": str(self.action),
        }
        environment.update({f"SLUICE_{name}": "" for name in MAYBE})
        environment.update({f"SLUICE_{name.upper()}": str(value) for name, value in inputs.items()})
        # As the runner starts a step with `shell: bash`.
        return subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c",
             f'exec "$SLUICE_ACTION/.ci/action" {half}'],
            cwd=self.workspace, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def step(self, half, **inputs):
        child = self.start(half, **inputs)
        out, _ = child.communicate(timeout=60)
        return child.returncode, out

    def find(self, given=""):
        code, out = self.step("find", given=given)
        return code, out, self.output.read_text()

    def run(self, binary, **inputs):
        fields = {"command": "gate", "arguments": "", "config": "", "directory": self.workspace,
                  "release": "", "wait": "suspend", **inputs}
        return self.step("run", binary=binary, **fields)

    def said(self):
        return self.words.read_bytes().decode().split("\0")[:-1]

    def ship(self, text=WORDS):
        """A release tag's bin/."""
        binary = script(self.action / f"bin/sluice-{MACHINE}", text)
        sums = self.action / "bin/SHA256SUMS"
        digest = hashlib.sha256(binary.read_bytes()).hexdigest()
        sums.write_text(f"{'0' * 64}  sluice-other\n{digest}  sluice-{MACHINE}\n")
        return binary, sums


def test_a_given_binary_is_used(runner):
    binary = script(runner.workspace / "out/sluice", WORDS)
    assert runner.find("out/sluice") == (0, "", f"path={binary}\n")


@pytest.mark.parametrize("given", ["no/such/file", ".", "plain", "two\nlines"])
def test_a_given_binary_that_is_none_is_refused(runner, given):
    (runner.workspace / "plain").write_text("not executable")
    script(runner.workspace / "two\nlines", WORDS)
    code, out, output = runner.find(given)
    assert code == 2 and out.startswith("::error title=sluice::") and output == ""


def test_a_release_tag_brings_its_binary(runner):
    binary, _ = runner.ship()
    binary.chmod(0o644)
    assert runner.find() == (0, "", f"path={binary}\n")
    assert binary.stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_of_a_tag_nothing_is_fetched_on_either_machine(runner, machine, monkeypatch):
    """On a runner of one's own without the internet: whoever would ask it leaves a trace."""
    binary, sums = runner.ship()
    binary.rename(binary.with_name(f"sluice-{machine}"))
    sums.write_text(sums.read_text().replace(f"sluice-{MACHINE}", f"sluice-{machine}"))
    tools = runner.folder / "tools"
    for name in ("curl", "wget", "git", "apt-get", "sudo", "cmake", "gh"):
        script(tools / name, f'#!/bin/sh\necho {name} >>"$HOME/asked"\nexit 1\n')
    script(tools / "uname", f'#!/bin/sh\n[ "$1" = -m ] && echo {machine} || echo Linux\n')
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    assert runner.find() == (0, "", f"path={binary.with_name(f'sluice-{machine}')}\n")
    code, out = runner.run(binary.with_name(f"sluice-{machine}"), command="gate")
    assert code == 0 and runner.said() == ["gate"], out
    assert not (runner.folder / "asked").exists()


@pytest.mark.parametrize("how", ["binary", "sum", "no line", "no file", "another's line"])
def test_a_binary_that_is_not_as_it_should_be_is_refused(runner, how):
    binary, sums = runner.ship()
    if how == "binary":
        script(binary, WORDS + "# one more byte\n")
    elif how == "sum":
        sums.write_text(sums.read_text().translate(str.maketrans("0123456789", "1234567890")))
    elif how == "no line":
        sums.write_text(f"{'0' * 64}  sluice-other\n")
    elif how == "no file":
        sums.unlink()
    else:
        sums.write_text(sums.read_text().replace(f"sluice-{MACHINE}", f"my-sluice-{MACHINE}"))
    code, out, output = runner.find()
    assert code == 2 and "SHA256SUMS" in out and out.startswith("::error ")
    assert output == "" and not runner.words.exists()


def test_a_branch_is_built_from_source(runner):
    code, out, output = runner.find()
    assert f"No binary for {MACHINE} beside the action: building from source." in out
    assert "installing: install build" in out
    assert code == 9 and output == ""  # what could not be built is not run


def test_the_real_binary_runs(runner):
    report = runner.workspace / "a b.xml"
    report.write_text('<testsuite tests="1"><testcase classname="c" name="n"/></testsuite>')
    code, out = runner.run(SLUICE, command="read", arguments="--format\njson\na b.xml")
    assert code == 0 and '"total": 1' in out.replace('"total":1', '"total": 1'), out


@pytest.mark.parametrize("command, inputs, words", [
    ("gate", {}, ["gate"]),
    ("gate", {"config": "a b.yml"}, ["gate", "--config=a b.yml"]),
    ("gate", {"release": "v1"}, ["gate"]),
    ("gate", {"arguments": "--base\nrelease 1\n\n--record\n"}, ["gate", "--base", "release 1", "--record"]),
    ("gate", {"arguments": "--record\r\n--quiet\r\n"}, ["gate", "--record", "--quiet"]),
    ("rollout", {"release": "v1"}, ["rollout", "--wait=suspend", "--", "v1"]),
    ("rollout", {"release": "--yes", "wait": "block", "arguments": "--stage\nproduction"},
     ["rollout", "--wait=block", "--stage", "production", "--", "--yes"]),
    ("rollout", {"release": "v1", "stage": "live", "artifacts": "web=a b\n\njob=sha256:1\n", "require": "done",
                 "reason": "no"},
     ["rollout", "--stage=live", "--wait=suspend", "--require=done", "--artifact=web=a b",
      "--artifact=job=sha256:1", "--", "v1"]),
    ("rollback", {"stage": "live", "to": "v7", "reason": "two\nlines", "artifacts": "web=x", "arguments": "web"},
     ["rollback", "--stage=live", "--yes", "--to=v7", "--reason=two\nlines", "web"]),
    ("resume", {"release": "v1", "stage": "live", "reason": "no"}, ["resume", "--stage=live"]),
    ("resume", {"comment": "https://h/o/r/issues/7#issuecomment-1"},
     ["resume", "--comment=https://h/o/r/issues/7#issuecomment-1"]),
    ("rollback", {"comment": "$(x) --to=v1"}, ["rollback", "--comment=$(x) --to=v1", "--yes"]),
    ("gate", {"comment": "#1"}, ["gate"]),
])
def test_inputs_become_words(runner, command, inputs, words):
    binary, _ = runner.ship()
    assert runner.run(binary, command=command, **inputs) == (0, "")
    assert runner.said() == words


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_a_word_and_nothing_else(runner, value):
    binary, _ = runner.ship()
    code, out = runner.run(binary, command="rollout", arguments=value, config=value, release=value,
                           wait=value, stage=value, require=value, artifacts=value)
    assert (code, out) == (0, "")
    assert runner.said() == ["rollout", f"--config={value}", f"--stage={value}", f"--wait={value}",
                             f"--require={value}", f"--artifact={value}", value, "--", value]
    assert runner.run(binary, command="rollback", to=value, reason=value) == (0, "")
    assert runner.said() == ["rollback", "--yes", f"--to={value}", f"--reason={value}"]
    assert list(runner.workspace.iterdir()) == []


def test_a_line_break_makes_no_word_outside_of_arguments(runner):
    binary, _ = runner.ship()
    assert runner.run(binary, command="rollout", config="a\n--quiet", release="r\n--yes")[0] == 0
    assert runner.said() == ["rollout", "--config=a\n--quiet", "--wait=suspend", "--", "r\n--yes"]


@pytest.mark.parametrize("command", ["", "approve", "deny", "--version", "gate rollout", "gate\n",
                                     "$(touch x)", "gate; touch x", "../../bin/sh"])
def test_other_commands_are_refused(runner, command):
    binary, _ = runner.ship()
    code, out = runner.run(binary, command=command)
    assert code == 2 and "the input command names nothing" in out
    assert not runner.words.exists() and list(runner.workspace.iterdir()) == []


@pytest.mark.parametrize("name", ["-P", "-", "a b", "$(touch x)", "new\nline"])
def test_a_working_directory_is_taken_as_it_is(runner, name):
    binary, _ = runner.ship()
    (runner.workspace / name).mkdir()
    assert runner.run(binary, directory=name) == (0, "")
    assert (runner.folder / "words.folder").read_text() == f"{runner.workspace / name}\n"
    code, out = runner.run(binary, directory="elsewhere")
    assert code == 2 and "working-directory" in out


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 7), (signal.SIGINT, 7), (signal.SIGKILL, -9)])
def test_signals_reach_the_binary(runner, number, code):
    binary, _ = runner.ship(PATIENT)
    child = runner.start("run", binary=binary, command="rollout", arguments="", config="", wait="block",
                         directory=runner.workspace, release="v1")
    try:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(number)
        for _ in range(100):
            if child.poll() is not None:
                break
            time.sleep(0.05)
        assert child.returncode == code
        if code == 7:  # no shell was left in between
            assert runner.words.read_text() == f"{int(number)} {child.pid}"
    finally:
        end(child)


def test_action_yml_gives_everything_in_the_environment():
    text = (ROOT / "action.yml").read_text()
    steps = re.split(r"\n    - name: ", text.split("\n  steps:\n", 1)[1])[0:]
    assert len(steps) == 3
    for step in steps:
        run = re.search(r"\n      run: (.*)", step).group(1)
        assert "${{" not in run, "an expression inside a script is executed"
        half = re.fullmatch(r'exec "\$SLUICE_ACTION/\.ci/action" (find|run)', run).group(1)
        given = set(re.findall(r"\n        (SLUICE_[A-Z_]+):", step))
        body = (ROOT / ".ci/action").read_text().split("find_binary() {")[1].split("\nrun_binary() {")
        used = set(re.findall(r"\$\{?(SLUICE_[A-Z]+)", body[half == "run"]))
        assert used <= given, f"{used - given} is not given to `{half}`"
    inputs = set(re.findall(r"\n  ([a-z-]+):\n    description", text.split("\noutputs:")[0]))
    assert inputs == set(re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", text))
    assert shutil.which("bash")
