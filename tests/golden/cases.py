"""Golden cases, many to a file.

    === a name
    --- base PATH          content of a file of the base commit (then there are two commits)
    --- file PATH          content of a file of the judged commit
    --- gone PATH          a file of the base commit that the judged commit removes
    --- new PATH           content of a file that is not committed: reports
    --- raw PATH           the same with escapes: \\0, \\xff, \\n (line ends are dropped)
    --- run ARGUMENTS      of sluice; in a repository unless the line is `--- run-bare`
    --- later PATH         content of a file that is written when its turn among the runs comes
    --- git ARGUMENTS      likewise: a branch, a commit
    --- expect CODE        what it prints: standard output, then standard error

A case may run several times: each `run` is followed by its `expect`. UPDATE=1 rewrites them.
"""
import os
import shlex
import subprocess
from pathlib import Path

KINDS = ("base", "file", "gone", "new", "raw", "run", "run-bare", "later", "git", "expect")
IDENTITY = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2027-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2027-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
}


class Section:
    def __init__(self, kind, argument):
        self.kind, self.argument, self.lines = kind, argument, []

    @property
    def body(self):
        return "".join(line + "\n" for line in self.lines)


class Case:
    def __init__(self, name):
        self.name, self.sections = name, []

    def of(self, *kinds):
        return [s for s in self.sections if s.kind in kinds]


def parse(path):
    """The preamble (a comment on the whole file) and the cases."""
    preamble, cases = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split(" ", 2)
        if line.startswith("=== "):
            cases.append(Case(line[4:]))
        elif not cases:
            preamble.append(line)
        elif words[0] == "---" and len(words) > 1 and words[1] in KINDS:
            cases[-1].sections.append(Section(words[1], words[2] if len(words) > 2 else ""))
        elif cases[-1].sections:
            cases[-1].sections[-1].lines.append(line)
        else:
            raise ValueError(f"{path}: text before a section of {cases[-1].name}")
    for case in cases:
        for section in case.sections:
            while section.lines and not section.lines[-1]:
                section.lines.pop()
    return preamble, cases


def write(path, preamble, cases):
    out = list(preamble)
    for case in cases:
        out.append(f"=== {case.name}")
        for section in case.sections:
            out.append(f"--- {section.kind} {section.argument}".rstrip())
            out.extend(section.lines)
        out.append("")
    path.write_text("\n".join(out).rstrip("\n") + "\n", encoding="utf-8")


def put(folder, section):
    target = folder / section.argument
    target.parent.mkdir(parents=True, exist_ok=True)
    if section.kind == "raw":
        text = "".join(section.lines).encode("latin-1", "backslashreplace")
        target.write_bytes(text.decode("unicode_escape").encode("latin-1"))
    else:
        target.write_text(section.body, encoding="utf-8")


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True,
                   env={**os.environ, **IDENTITY})


def build(case, folder):
    bare = bool(case.of("run-bare"))
    folder.mkdir()
    if not bare:
        git(folder, "init", "-q", "-b", "main")
    for section in case.of("base"):
        put(folder, section)
    if case.of("base") and not bare:
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", "base")
    for section in case.of("file"):
        put(folder, section)
    for section in case.of("gone"):
        (folder / section.argument).unlink()
    if case.of("file") and not bare:
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "--allow-empty", "-m", "change")
    for section in case.of("new", "raw"):
        put(folder, section)


def run(binary, section, folder):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "RUNNER_", "CI"))}
    env.update(IDENTITY, NO_COLOR="1")
    done = subprocess.run([binary, *shlex.split(section.argument)], cwd=folder, env=env,
                          capture_output=True, timeout=60)
    text = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
    return done.returncode, text.replace(str(folder), "DIR")


def play(binary, case, folder):
    """Runs a case and gives the sections that its `expect` ones should equal."""
    build(case, folder)
    results = []
    for section in case.of("run", "run-bare", "later", "git"):
        if section.kind == "later":
            put(folder, section)
            continue
        if section.kind == "git":
            git(folder, *shlex.split(section.argument))
            continue
        code, text = run(binary, section, folder)
        results.append((str(code), [line.rstrip() for line in text.splitlines()]))
    return results
