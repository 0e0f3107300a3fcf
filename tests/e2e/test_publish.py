"""How a release of ours becomes what `@v0` names: the scripts of .github/workflows/publish.yml and
major.yml as they stand, run with a `gh` that asks the GitHub bench, and a repository that refuses what
GitHub refuses."""

import hashlib
import os
import re
import subprocess

import pytest

from conftest import ROOT
from github_bench import REPOSITORY, GithubBench
from test_action import script
from workflow_files import OURS, ours, permissions

# As much of `gh api` as our workflows use; of its other commands it only writes down the words.
GH = """#!/usr/bin/python3
import json, os, sys, urllib.error, urllib.request
if sys.argv[1] != "api":
    print(*sys.argv[1:], file=open(os.environ["HOME"] + "/gh", "a"))
    sys.exit(0)
words, path, method, filter, body = iter(sys.argv[2:]), None, "GET", None, {}
for word in words:
    if word in ("--paginate", "--silent"):
        pass
    elif word == "--method":
        method = next(words)
    elif word == "--jq":
        filter = next(words)
    elif word in ("-f", "-F"):
        name, _, value = next(words).partition("=")
        body[name] = json.loads(value) if word == "-F" else value
    else:
        assert path is None and not word.startswith("-"), word
        path = word
request = urllib.request.Request(
    os.environ["GITHUB_API_URL"] + "/" + path, json.dumps(body).encode() if body else None, method=method,
    headers={"Authorization": "Bearer " + os.environ["GH_TOKEN"], "User-Agent": "gh",
             "Content-Type": "application/json"})
try:
    tree = json.load(urllib.request.urlopen(request, timeout=30))
except urllib.error.HTTPError as why:
    sys.exit(why.read().decode())
if filter == '.[] | "\\(.object.sha) \\(.ref)"':
    print(*[one["object"]["sha"] + " " + one["ref"] for one in tree], sep="\\n")
elif filter:
    print(tree[filter.removeprefix(".")])
"""
# The token of a run may never push a commit that changes a workflow, whatever its permissions say.
REFUSES = """#!/bin/sh
while read -r old new ref; do
    for commit in $(git rev-list "$new" --not --all); do
        git diff-tree -r --root --name-only --no-commit-id "$commit" | grep '^[.]github/workflows/' >&2 &&
            { echo "refusing to allow a GitHub App to create or update workflow" >&2; exit 1; }
    done
done
exit 0
"""


class Job:
    """A folder with a `gh`, in which a step's script runs as a runner would start it."""

    def __init__(self, folder):
        self.folder = folder
        script(folder / "tools/gh", GH)

    def run(self, text, **environment):
        return subprocess.run(
            ["bash", "-e", "-c", text], cwd=self.folder, capture_output=True, text=True, timeout=60,
            env={"PATH": f"{self.folder}/tools:{os.environ['PATH']}", "HOME": str(self.folder),
                 "GITHUB_ACTOR": "ada", "GITHUB_REPOSITORY": REPOSITORY, **environment})


def step(workflow, job):
    """The script of a job: its last step."""
    return ours(workflow)["jobs"][job]["steps"][-1]["run"]


# ---- the tag of a release ------------------------------------------------------------------------


def git(folder, *words):
    done = subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.example", *words],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def origin(tmp_path):
    """A repository on GitHub with our workflows, checked out in `work`."""
    work, bare = tmp_path / "work", tmp_path / "origin.git"
    (work / ".github").mkdir(parents=True)
    subprocess.run(["cp", "-r", OURS, work / ".github"], check=True)
    (work / "CMakeLists.txt").write_text((ROOT / "CMakeLists.txt").read_text())
    git(work, "init", "--quiet", "--initial-branch=main")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message=As it is")
    git(tmp_path, "clone", "--quiet", "--bare", str(work), str(bare))
    git(work, "remote", "add", "origin", str(bare))
    script(bare / "hooks/pre-receive", REFUSES)
    (work / "dist").mkdir()
    for machine in ("x86_64", "aarch64"):
        for name in (f"sluice-{machine}", f"sluice-{machine}.cdx.json"):
            (work / "dist" / name).write_text(name)
    return bare


def test_a_release_is_a_tag_that_carries_its_binaries(origin, tmp_path):
    version = "v" + re.search(r"project\(sluice VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    job = Job(tmp_path / "work")
    for wrong in ("1.2.3", "v1.2", f"{version} ", "v1.2.3;id"):
        assert job.run(step("publish", "draft"), VERSION=wrong).returncode == 2, wrong
    assert git(origin, "tag") == ""
    done = job.run(step("publish", "draft"), VERSION=version)
    assert done.returncode == 0, done.stderr
    assert git(origin, "tag") == version
    held = git(origin, "ls-tree", "-r", "--name-only", version, "bin/").split()
    assert len(held) == 5 and "bin/SHA256SUMS" in held, held
    sums = git(origin, "show", f"{version}:bin/SHA256SUMS")
    assert f"{hashlib.sha256(b'sluice-x86_64').hexdigest()}  sluice-x86_64\n" in sums
    assert git(origin, "rev-parse", f"{version}^") == git(origin, "rev-parse", "main")
    assert f"release create {version} --draft" in (job.folder / "gh").read_text()


# ---- the tag of the major version ----------------------------------------------------------------


def test_v0_follows_the_newest_release_and_no_other(tmp_path):
    bench = GithubBench(tmp_path / "log")
    job, tree = Job(tmp_path / "job"), ours("major")
    try:
        bench.begin()

        def publish(tag):
            sha = bench.act("ada", "commit", branch=tag, message=f"Release {tag}")
            bench.api("POST", "git/refs", {"ref": f"refs/tags/{tag}", "sha": sha})
            done = job.run(step("major", "move"), TAG=tag, GITHUB_API_URL=bench.url,
                           GH_TOKEN=bench.token_of_a_run(permissions(tree, "move")))
            assert done.returncode == 0, done
            return sha

        def tag(name):
            return bench.ask("state")[REPOSITORY]["refs"].get(f"tags/{name}")
        drafted = bench.act("ada", "commit", branch="draft", message="A draft")
        bench.api("POST", "git/refs", {"ref": "refs/tags/v0.99.0", "sha": drafted})
        for version in ("v0.1.0", "v0.2.0", "v0.10.0"):
            sha = publish(version)
            assert tag("v0") == sha, version
        publish("v0.9.9")
        publish("nightly")
        assert tag("v0") == sha
        newer = publish("v1.0.0")
        assert (tag("v0"), tag("v1")) == (sha, newer)
        assert bench.violations() == []
    finally:
        bench.stop()
