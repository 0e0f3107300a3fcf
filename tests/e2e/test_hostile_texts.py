"""Every hostile text (hostile_texts.py) in every place where a stranger's text comes in.

What comes out is read by parsers that share nothing with sluice: the runner's own rules for lines
and outputs, cmark-gfm, a walk over the HTML, a look at every character.
"""

import html.parser
import json
import os
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest

from conftest import SLUICE
from hostile_texts import ATTACKS, text

CONFIG = """version: 1
evidence:
  coverage: {reports: "reports/*.info"}
  tests: {reports: [reports/junit.xml, reports/go.jsonl]}
  risks: risk-register.yml
gate:
  coverage: {total: 90%, changed: 90%, critical: {"src/**": {lines: 90%}}}
  tests: {failures: 0}
  risk: {max_exposure: 1}
"""
RUN = "https://github.example/acme/learn/actions/runs/7"
HEAD = "1" * 40
COMMANDS = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path",
    "notice", "pause-logging", "remove-matcher", "resume-logging", "save-state", "set-env", "set-output",
    "stop-commands", "warning",
}  # fmt: skip
OWN_TAGS = {
    "h1", "h2", "h3", "p", "br", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "details", "summary",
    "strong", "sub", "span", "a", "ul", "li",
}  # fmt: skip


# ---- the runner ---------------------------------------------------------------------------------
def decode(s, property=False):
    for code, c in [("%3A", ":"), ("%2C", ",")] if property else []:
        s = s.replace(code, c)
    return s.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def command_of(line, known):
    """A line as the runner takes it: `::name props::data` at its start, else `##[name props]data` anywhere."""
    start = line.lstrip()
    if start.startswith("::") and (end := start.find("::", 2)) >= 0:
        name, _, properties = start[2:end].partition(" ")
        if name.lower() in known:
            return name.lower(), properties, decode(start[end + 2 :])
    at = line.find("##[")
    if at >= 0 and (end := line.find("]", at)) >= 0:
        name, _, properties = line[at + 3 : end].partition(" ")
        if name.lower() in known:
            return name.lower(), properties, decode(line[end + 1 :])
    return None


def commands(raw):
    """What the runner would carry out; .NET ends a line at \\n, \\r and \\r\\n."""
    known, token, done = set(COMMANDS), None, []
    for line in re.split(r"\r\n|\n|\r", raw.decode("utf-8", "replace")):
        found = command_of(line, known)
        if found and token is None:
            done.append(found)
            if found[0] == "stop-commands":
                token = found[2].lower()
                known.add(token)
        elif found and found[0] == token:
            token = None
    assert token is None, "commands stay stopped"
    return done


def outputs(raw):
    lines, found = iter(raw.decode().split("\n")), {}
    for line in lines:
        name, heredoc, delimiter = line.partition("<<")
        if heredoc and "=" not in name:
            value = []
            for inside in lines:
                if inside == delimiter:
                    break
                value.append(inside)
            found[name] = "\n".join(value)
        elif line:
            name, _, found[name] = line.partition("=")
    return found


# ---- characters ---------------------------------------------------------------------------------
def hidden(c):
    if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return c not in "\n\t\u200c\u200d"
    return c in "\u3164\uffa0\u115f\u1160"


def plain(raw):
    """Of a terminal or a log: UTF-8 of which every character is seen."""
    shown = raw.decode("utf-8")
    bad = [f"U+{ord(c):04X}" for c in shown if hidden(c)]
    assert not bad, f"{bad[:5]} in {shown[:2000]!r}"
    return shown


def nothing_carried_out(done, places=False):
    for raw in (done.stdout, done.stderr):
        plain(raw)
        for name, properties, data in commands(raw):
            if (name, data) in (("group", "What passed, every place, every report"),
                                ("endgroup", "")):
                continue
            assert name in ("stop-commands", "error", "warning", "notice"), (name, properties, data)
            assert raw is done.stdout, "of the error stream nothing is a command"
            if name == "stop-commands":
                assert re.fullmatch("[0-9a-f]{32}", data), data
            else:
                assert not any(map(hidden, data + decode(properties, True))), (properties, data)
                keys = [part.partition("=")[0] for part in properties.split(",")]
                assert keys in (
                    sorted(set(keys) & {"endLine", "file", "line", "title"}, key="file line endLine title".split().index),
                ), properties


# ---- markdown -----------------------------------------------------------------------------------
class Walk(html.parser.HTMLParser):
    """The HTML tree: what stands in it that sluice did not write, and what GitHub would make of the text."""

    def __init__(self, links, strong):
        super().__init__(convert_charrefs=True)
        self.links, self.open, self.outside, self.tags = links, [], "", []
        self.strong = strong

    def handle_starttag(self, tag, attributes):
        assert tag in OWN_TAGS, f"<{tag} {attributes}>"
        if tag == "a":
            assert dict(attributes) in ({"href": link} for link in self.links), attributes
        else:
            assert all(name == "align" and tag in ("td", "th") for name, _ in attributes), attributes
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)
        self.outside += " " if tag in ("td", "th", "tr", "p", "br") else "\x1d"

    def handle_endtag(self, tag):
        if tag == "br":
            return
        assert self.open and self.open.pop() == tag, f"</{tag}> does not end what is open"
        self.outside += "\x1d"  # GitHub looks into one text at a time

    def handle_data(self, data):
        assert not any(hidden(c) for c in data if c != "\u200b"), data[:2000]
        if self.open and self.open[-1] == "strong":
            assert re.fullmatch(self.strong, data), data
        if self.open and self.open[-1] == "span":
            assert data == "$", data
        elif not {"code", "pre", "a"} & set(self.open):
            self.outside += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:200]}")

    handle_decl = unknown_decl = handle_pi = handle_comment


GITHUB_LOOKS_FOR = {
    "a mention": r"(?<![\w])@[a-z0-9]",
    "an issue": r"(?<![a-z0-9_])(?:[\w.-]+/)?[\w.-]*#\d",
    "an issue, GH-": r"(?<!\w)gh-\d",
    "a commit": r"(?<![\w-])[0-9a-f]{7,40}(?![\w-])",
    "an emoji": r":[a-z0-9_+-]+:",
    "an address": r"://[a-z]|(?<!\w)www\.[a-z]|[a-z]@[a-z]",
    "mathematics": r"\$",
}


def render(markdown):
    words = ["cmark-gfm", "--unsafe"]
    for extension in "table strikethrough autolink tasklist footnotes".split():
        words += ["-e", extension]
    return subprocess.run(words, input=markdown, capture_output=True, check=True, timeout=60).stdout.decode()


def markdown_is_ours(markdown, headings, links=(), strong=r"\d+ more findings|overdue"):
    plain(markdown)
    page = render(markdown)
    walk = Walk(links, strong)
    walk.feed(page)
    walk.close()
    assert not walk.open, walk.open
    for what, pattern in GITHUB_LOOKS_FOR.items():
        found = re.search(pattern, walk.outside, re.I | re.A)
        assert not found, f"{what}: {walk.outside[max(0, found.start() - 60) : found.end() + 60]!r}"
    assert [tag for tag in walk.tags if re.fullmatch("h[1-6]", tag)] == headings
    return page


# ---- a repository with the text everywhere ------------------------------------------------------
def git(folder, *words, env=None, check=True):
    return subprocess.run(["git", *words], cwd=folder, env=env, capture_output=True, check=check)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "repository"
    (folder / ".github").mkdir(parents=True)
    (folder / ".github/sluice.yml").write_text(CONFIG)
    (folder / "src").mkdir()
    (folder / "src/a.py").write_text("a = 1\n")
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "base", "a")
    return folder


def commit(folder, message, author):
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_COMMITTER_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.example",
           "GIT_COMMITTER_EMAIL": "a@b.example", "GIT_AUTHOR_NAME": author}  # fmt: skip
    git(folder, "add", "-A", env=env)
    with open(folder / ".git/said", "wb") as said:
        said.write(message.encode(errors="surrogateescape"))
    if git(folder, "commit", "-q", "--allow-empty-message", "-F", ".git/said", env=env, check=False).returncode:
        git(folder, "commit", "-q", "-m", "refused by git", env={**env, "GIT_AUTHOR_NAME": "a"})
    return git(folder, "rev-parse", "HEAD").stdout.decode().strip()


def json_text(raw):
    """As JSON: bytes that are not UTF-8 become lone surrogates, which JSON can spell."""
    return json.dumps(raw.decode("utf-8", "surrogateescape"))


def xml_text(raw):
    shown = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", raw.decode("utf-8", "replace"))
    return "".join(f"&#{ord(c)};" if c in "<>&\"'\n\r\t" else c for c in shown)


def reports(folder, raw, name):
    """Reports of tests (as XML, and as JSON, which can say every character), coverage, the risk register."""
    (folder / "reports").mkdir()
    x, j = xml_text(raw[:60000]), json_text(raw[:60000])
    (folder / "reports/junit.xml").write_text(
        f'<testsuite name="{x}" tests="1"><testcase classname="{x}" name="{x}">'
        f'<failure message="{x}" type="{x}">{x}</failure></testcase></testsuite>'
    )
    (folder / "reports/go.jsonl").write_text(
        "".join(
            f'{{"Action":"{action}","Package":{j},"Test":{j},"Output":{j},"Elapsed":1}}\n'
            for action in ("run", "output", "fail")
        )
        + f'{{"Action":"fail","Package":{j},"Elapsed":1}}\n'
    )
    record = b"SF:src/" + name + b"\nDA:1,0\nDA:2,0\nLF:2\nLH:0\nend_of_record\n"
    (folder / "reports/coverage.info").write_bytes(record)
    os.rename(folder / "reports/coverage.info", os.fsencode(folder / "reports") + b"/" + name[:120] + b".info")


def risk_register(raw):
    """YAML in quotes takes what JSON does, but for halves of a character."""
    shown = json.dumps(raw[:200].decode("utf-8", "replace").replace("\uffff", "?"), ensure_ascii=False)
    shown = re.sub(r"\\u00[0189][0-9a-f]|\\[nrtbf]", "?", shown)  # controls are refused
    shown = "".join(f"\\U{ord(c):08X}" if hidden(c) and ord(c) > 0x9F else c for c in shown)
    shown = re.sub("[\x7f-\x9f]", "?", shown)
    return (
        f"version: 1\nflows:\n  sale: {{weight: 3, title: {shown}}}\nrisks:\n  - id: R-1\n    flow: sale\n"
        f"    title: {shown}\n    owner: {shown}\n    treatment: {shown}\n    likelihood: 4\n    impact: 4\n"
        '    status: open\n    paths: ["src/**"]\n'
    )


def file_name(raw):
    name = raw.replace(b"\0", b"").replace(b"/", "\u2215".encode())[:150]
    return b"_" if name in (b"", b".", b"..") else name


@pytest.fixture
def place(base, tmp_path):
    def make(raw):
        folder = tmp_path / "repository"
        shutil.copytree(base, folder)
        name = file_name(raw)
        with open(os.fsencode(folder / "src") + b"/" + name, "wb") as file:
            file.write(b"b = 1\nc = 2\n")
        (folder / "risk-register.yml").write_text(risk_register(raw))
        words = raw.replace(b"\0", b"")[:60000].decode("utf-8", "surrogateescape")
        before = git(folder, "rev-parse", "HEAD").stdout.decode().strip()
        head = commit(folder, words, words.replace("\n", " ")[:200])
        reports(folder, raw, name)
        event = tmp_path / "event.json"
        label = raw[:1000].replace(b"\0", b"").decode("utf-8", "replace")  # as GitHub keeps them
        event.write_text(json.dumps({"pull_request": {
            "base": {"sha": before, "ref": label}, "head": {"sha": head, "ref": label, "label": label},
            "title": label, "body": label, "labels": [{"name": label}], "user": {"login": label}}}))  # fmt: skip
        env = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "RUNNER_"))}
        env.update(
            GITHUB_ACTIONS="true", GITHUB_EVENT_NAME="pull_request", GITHUB_EVENT_PATH=str(event), GITHUB_SHA=head,
            RUNNER_TEMP=str(tmp_path), GITHUB_OUTPUT=str(tmp_path / "output"),
            GITHUB_STEP_SUMMARY=str(tmp_path / "summary"), GITHUB_HEAD_REF=words[:1000], GITHUB_ACTOR=words[:100],
            GITHUB_REPOSITORY="acme/learn", GITHUB_SERVER_URL="https://github.example", GITHUB_RUN_ID="7",
            GIT_CONFIG_GLOBAL="/dev/null",
        )  # fmt: skip
        return folder, env

    return make


def sluice(folder, env, *words, codes=(0, 1, 2, 3)):
    done = subprocess.run([SLUICE, *words], cwd=folder, env=env, capture_output=True, timeout=120)
    assert b"Sanitizer" not in done.stderr and b"runtime error" not in done.stderr, done.stderr.decode()
    assert done.returncode in codes, (done.returncode, done.stderr[-2000:])
    return done


def hostile_decision(raw):
    t = json.loads(json_text(raw[:200000]))
    finding = {"id": t, "verdict": "block", "have": t, "want": t, "message": t, "advice": t, "scope": t,
               "where": [{"path": t, "line": 1, "end_line": 2}] * 3}  # fmt: skip
    return json.dumps({
        "schema": "sluice.decision/1", "decision": "block", "commit": t, "policy": t, t: t,
        "findings": [finding, {**finding, "verdict": "pass"}, {**finding, "scope": "inherited"}],
        "totals": {"coverage": {"lines": {"covered": 1, "total": 2}}, "tests": {"total": t}, t: t}})  # fmt: skip


def check_gate(folder, env, tmp_path):
    done = sluice(folder, env, "gate", codes=(1,))
    nothing_carried_out(done)
    assert set(outputs((tmp_path / "output").read_bytes())) == {"decision", "decision-file", "summary-file"}
    assert outputs((tmp_path / "output").read_bytes())["decision"] == "block"
    summary = (tmp_path / "summary").read_bytes()
    assert len(summary) <= 1 << 20
    markdown_is_ours(summary, ["h2"])
    assert json.loads((tmp_path / "sluice/decision.json").read_bytes())["decision"] == "block"
    return done, summary


def check_again(summary, tmp_path):
    """The command that the summary offers, run: it starts git and sluice with words, and nothing else."""
    for command in re.findall(r"\n```\n(.*?)\n```\n", summary.decode(), re.S):
        assert "\n" not in command
        stub = tmp_path / "bin"
        stub.mkdir()
        for name in ("git", "sluice"):
            (stub / name).write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
            (stub / name).chmod(0o755)
        empty = tmp_path / "empty"
        empty.mkdir()
        env = {"PATH": f"{stub}:/usr/bin:/bin"}
        ran = subprocess.run(["bash", "-c", command], cwd=empty, env=env, capture_output=True, timeout=20)
        assert ran.stdout and not ran.stderr and not list(empty.iterdir()), (command, ran)


def check_comment(raw, env, tmp_path):
    (tmp_path / "told.json").write_text(hostile_decision(raw))
    words = ["comment", str(tmp_path / "told.json"), "--head", HEAD, "--run", RUN]
    page = b""
    for text_of in (None, raw):  # as JSON can say it, and as bytes
        if text_of is not None:
            whole = hostile_decision(b"@TEXT@").encode().replace(b"@TEXT@", text_of[:2000])
            (tmp_path / "told.json").write_bytes(whole)
        done = sluice(tmp_path, env, *words)
        nothing_carried_out(done)
        if done.returncode == 0:
            comment = re.fullmatch(rb"::stop-commands::(\w+)\n(.*)::\1::\n", done.stdout, re.S).group(2)
            assert len(comment) <= 65536
            markdown_is_ours(comment, ["h3"], [RUN])
            page = page or comment
    return page


def check_people(folder, env):
    """At a terminal, in colour."""
    env = {k: v for k, v in env.items() if not k.startswith(("GITHUB_", "RUNNER_"))}
    said = b""
    for words in (["gate", "--base", "HEAD~1", "--verbose"], ["explain", "--verbose"], ["risk", "list"]):
        done = sluice(folder, env, *words, "--color", "always")
        said += done.stdout
        plain(re.sub(rb"\x1b\[(0|1|2|3[1-6])m", b"", done.stdout))
        plain(re.sub(rb"\x1b\[(0|1|2|3[1-6])m", b"", done.stderr))
    return said


def check_record(folder, env):
    """Recorded as an actor's of that name, told again."""
    env = {**env, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
    env.pop("GITHUB_EVENT_PATH")
    said = b""
    for words in (["gate", "--record", "--branch", "main"], ["log"], ["status"]):
        done = sluice(folder, env, *words)
        nothing_carried_out(done)
        said += done.stdout
    return said


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack[0] for attack in ATTACKS])
def test_it_stays_text(attack, place, tmp_path):
    canary = tmp_path / "made"
    raw = text(attack, canary)
    folder, env = place(raw)
    _, summary = check_gate(folder, env, tmp_path)
    check_again(summary, tmp_path)
    nothing_carried_out(sluice(folder, env, "explain"))
    check_comment(raw, env, tmp_path)
    check_people(folder, env)
    check_record(folder, env)
    assert not canary.exists(), attack[2]


ASKED = [f"  {name:10}" for name in ("EMERGENCY", "gate", "touches", "reaches", "way back", "answers")]
WORDS = Path(SLUICE).parent / "tests/e2e/rollout_words"


def words_of_a_rollout(raw, *more):
    done = subprocess.run([WORDS, *more], input=raw, capture_output=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr[:2000]
    return done.stdout.split(b"\0")[:-1]


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack[0] for attack in ATTACKS])
def test_it_stays_text_in_the_issue_of_a_rollout(attack, tmp_path):
    """As a release, an environment, a target, a reason and the address of a run."""
    raw = text(attack, tmp_path / "made")[:20000]
    for words in words_of_a_rollout(raw):
        words = words.removeprefix(b"<!-- sluice:v1 -->\n").replace(b"@ada: ", b"")
        markdown_is_ours(words, [], strong=".*")
    for line in words_of_a_rollout(raw, "plain"):
        assert "\n" not in plain(line) and len(line) <= 256, line
    question, = words_of_a_rollout(raw, "question")
    lines = plain(question).split("\n")
    assert len(lines) == 8 and lines[-1] == "", question
    assert [line[:12] for line in lines[1:7]] == ASKED, question


def test_the_text_does_come_that_far(place, tmp_path):
    """Otherwise the attacks would prove nothing."""
    folder, env = place(b"innocentname")
    done, summary = check_gate(folder, env, tmp_path)
    assert summary.count(b"innocentname") >= 6, summary.decode()
    assert done.stdout.count(b"innocentname") >= 4
    assert re.search(rb"^::error [^\n]*innocentname", done.stdout, re.M)
    assert b"innocentname" in check_comment(b"innocentname", env, tmp_path)
    assert b"innocentname" in check_people(folder, env)
    assert b"innocentname" in check_record(folder, env)


def test_the_list_is_long_and_said_once():
    names = [attack[0] for attack in ATTACKS]
    assert len(names) >= 45 and len(set(names)) == len(names)


@pytest.mark.parametrize("bad", ["<b>x</b>", "www.evil.example", "@octocat", "x #1", "![x](y)", "<!-- x -->", "a\x1b[2J"])
def test_the_parsers_notice(bad):
    with pytest.raises(AssertionError):
        markdown_is_ours(f"## x\n\n| a |\n|---|\n| {bad} |\n".encode(), ["h2"])
    assert commands(b"x\n ::add-mask::y\nz ##[group]z") == [("add-mask", "", "y"), ("group", "", "z")]
