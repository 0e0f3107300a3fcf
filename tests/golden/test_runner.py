"""`sluice gate` as a step of a workflow: annotations, outputs, summary, and what it refuses."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import cases
from test_golden import BINARY

CONFIG = "version: 1\ngate:\n  coverage: {changed: 80%}\n  tests: {failures: 0}\n"


def commit(folder, message):
    cases.git(folder, "add", "-A")
    cases.git(folder, "commit", "-q", "--allow-empty", "-m", message)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode().strip()


def coverage(covered, total):
    lines = "".join(f'<line number="{n}" hits="{int(n <= covered)}"/>' for n in range(1, total + 1))
    return ('<?xml version="1.0"?><coverage><packages><package name="p"><classes>'
            f'<class name="a" filename="a.py"><lines>{lines}</lines></class>'
            "</classes></package></packages></coverage>")


def junit(names):
    cases_xml = "".join(f'<testcase classname="c" name="{name}"><failure message="m"/></testcase>'
                        for name in names)
    return f'<?xml version="1.0"?><testsuite name="s" tests="{len(names)}">{cases_xml}</testsuite>'


@pytest.fixture
def step(tmp_path):
    """A repository with a base and a change, and a runner's environment for it."""
    folder = tmp_path / "repository"
    (folder / ".github").mkdir(parents=True)
    cases.git(folder, "init", "-q", "-b", "main")
    (folder / ".github" / "sluice.yml").write_text(CONFIG)
    (folder / "a.py").write_text("".join(f"a{n} = {n}\n" for n in range(10)))
    base = commit(folder, "base")
    with (folder / "a.py").open("a") as file:
        file.write("".join(f"b{n} = {n}\n" for n in range(10)))
    head = commit(folder, "change")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}))
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "RUNNER_"))}
    env.update(cases.IDENTITY, GITHUB_ACTIONS="true", GITHUB_EVENT_NAME="pull_request",
               GITHUB_EVENT_PATH=str(event), GITHUB_SHA=head, RUNNER_TEMP=str(tmp_path),
               GITHUB_OUTPUT=str(tmp_path / "output"), GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    return folder, env, tmp_path


def gate(step, *words):
    folder, env, _ = step
    done = subprocess.run([BINARY, "gate", *words], cwd=folder, env=env, capture_output=True,
                          timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def outputs(path):
    found = re.findall(r"^(.*?)<<(.*?)\n(.*?)\n\2$", path.read_text(), re.S | re.M)
    return {name: value for name, _, value in found}


def test_a_step_says_everything(step):
    folder, env, temp = step
    (folder / "coverage.xml").write_text(coverage(12, 20))
    (folder / "junit.xml").write_text(junit(["one"]))
    code, out, err = gate(step)
    assert code == 1, err
    values = outputs(temp / "output")
    assert values["decision"] == "block"
    decision = json.loads(Path(values["decision-file"]).read_text())
    assert decision["decision"] == "block"
    assert decision["commit"] == env["GITHUB_SHA"]
    summary = (temp / "summary").read_text()
    assert Path(values["summary-file"]).read_text() == summary
    assert "Block" in summary and "coverage.changed" in summary
    assert re.search(r"^::error file=a\.py,line=13,endLine=20,title=coverage\.changed::", out, re.M)


def test_text_from_reports_is_between_tokens(step):
    folder = step[0]
    (folder / "coverage.xml").write_text(coverage(20, 20))
    (folder / "junit.xml").write_text(junit(["x&#10;::set-output name=a::b", "##[add-mask]a"]))
    _, out, _ = gate(step)
    token = re.match(r"::stop-commands::([0-9a-f]{32})\n", out).group(1)
    block = re.compile(rf"::stop-commands::{token}\n.*?::{token}::\n", re.S)
    blocks, outside = block.findall(out), block.sub("", out)
    assert len(blocks) == 2 and all("set-output" in one for one in blocks), out
    for line in outside.splitlines():
        assert re.match(r"::(error|warning|notice|group|endgroup)( |::)", line)
    _, again, _ = gate(step)
    assert token not in again, "a token that can be guessed protects nothing"


def test_json_holds_no_command(step):
    folder = step[0]
    (folder / "coverage.xml").write_text(coverage(20, 20))
    (folder / "junit.xml").write_text(junit(["##[add-mask]a"]))
    _, out, _ = gate(step, "--format", "json")
    document = out.split("\n::")[0]
    assert "##[" not in document
    assert "##[add-mask]a" in json.loads(document)["findings"][0]["message"]


def test_at_most_ten_annotations_of_a_level(step):
    folder = step[0]
    (folder / "coverage.xml").write_text(coverage(20, 20))
    (folder / "junit.xml").write_text(junit([f"t{n}" for n in range(40)]))
    _, out, _ = gate(step)
    errors = [line for line in out.splitlines() if line.startswith("::error")]
    assert len(errors) == 10
    assert "more" in errors[-1]


def test_pull_request_target_with_the_head_is_refused(step):
    folder, env, _ = step
    env.update(GITHUB_EVENT_NAME="pull_request_target", GITHUB_SHA="1" * 40)
    (folder / "coverage.xml").write_text(coverage(20, 20))
    code, out, err = gate(step)
    assert code == 1
    assert "pull_request_target" in err
    assert out.startswith("::error title=sluice::")


def test_a_shallow_clone_says_fetch_depth(step, tmp_path):
    folder, env, _ = step
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{folder}", "shallow"],
                   cwd=tmp_path, check=True, capture_output=True)
    for words in ([], ["--base", "HEAD"]):
        done = subprocess.run([BINARY, "gate", *words], cwd=tmp_path / "shallow", env=env,
                              capture_output=True, timeout=60)
        if words:
            continue
        assert done.returncode == 2
        assert b"fetch-depth: 0" in done.stderr


def test_an_unreadable_event_is_an_error(step, tmp_path):
    (tmp_path / "event.json").write_text("{")
    code, _, err = gate(step)
    assert code == 2
    assert "event" in err


def test_explain_says_how_to_do_it_again_on_a_laptop(step):
    folder, env, _ = step
    env.update(GITHUB_SERVER_URL="https://example.org", GITHUB_REPOSITORY="a/b", GITHUB_RUN_ID="7")
    (folder / "coverage.xml").write_text(coverage(20, 20))
    (folder / "junit.xml").write_text(junit(["t"]))
    done = subprocess.run([BINARY, "explain", "--at", "2027-01-15T08:00:00Z"], cwd=folder, env=env,
                          capture_output=True, timeout=60, text=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True,
                          capture_output=True, text=True).stdout.strip()
    again = [line for line in done.stdout.splitlines() if line.startswith("again on a laptop: ")]
    assert len(again) == 1, done.stdout + done.stderr
    assert f"git fetch origin {head} && git checkout --detach {head} && sluice gate" in again[0]
    assert again[0].endswith(" --at 2027-01-15T08:00:00.000Z")
    assert "junit.xml (https://example.org/a/b/actions/runs/7)" in done.stdout
    # Here the very command is run: another folder, the same reports, the same decision.
    command = again[0].split("&& sluice ")[1].split()
    (folder / "elsewhere").mkdir()
    subprocess.run(["git", "clone", "-q", str(folder), "elsewhere"], cwd=folder, check=True,
                   capture_output=True)
    for name in ("coverage.xml", "junit.xml"):
        (folder / "elsewhere" / name).write_text((folder / name).read_text())
    plain = {k: v for k, v in env.items() if not k.startswith(("GITHUB_", "RUNNER_"))}
    here, there = (subprocess.run([BINARY, *command, "--format", "json"], cwd=where, env=plain,
                                  capture_output=True, timeout=60).stdout
                   for where in (folder, folder / "elsewhere"))
    assert here == there and here.startswith(b"{")
