"""The workflows that are shipped, those that `sluice init --rollout` writes to call them, and every
caller that a page shows: what they may do, how they queue and what they hand on, as they are written
down. Nothing is run but `sluice init`; test_workflows.py runs them."""

import itertools
import re
import subprocess

import pytest

from conftest import ROOT, SLUICE
from workflow_files import (
    OURS, calls, covers, declared, ours, permissions, read, required, used_inputs,
)

SHIPPED = ("release", "resume", "rollback", "comment")
TABLE = ROOT / "actions/github/README.md"
ACTION = read((ROOT / "action.yml").read_text())
REFERENCE = re.compile(r"sluice/sluice(?:/[\w./-]+)?@([\w.-]+)")


def tracked(*patterns):
    done = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--", *patterns],
                          capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name]


def table():
    """What the page says: the permissions of each workflow on its left."""
    section = TABLE.read_text().partition("\n## What each job may do\n")[2].partition("\n## ")[0]
    said, names = {}, []
    for row in re.findall(r"(?m)^\|(.*)\|$", section):
        left, right, _ = [cell.strip() for cell in row.split("|")]
        names = re.findall(r"`(sluice[\w-]*)\.yml`", left) if left else names
        as_another = re.fullmatch(r"as the (\w+), without `([\w-]+)`", right)
        one = re.match(r"`([\w-]+): (\w+)`", right)
        for name in names:
            if as_another:
                same = said["sluice-" + as_another[1]]
                assert as_another[2] in same, row
                said[name] = {what: same[what] for what in same if what != as_another[2]}
            else:
                said.setdefault(name, {})[one[1]] = one[2]
    return said


@pytest.fixture(scope="module")
def starters(tmp_path_factory):
    """What `sluice init` writes, by name, with the options that it only offers."""
    folder = tmp_path_factory.mktemp("starters")
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    subprocess.run([SLUICE, "init", "--rollout"], cwd=folder, check=True, capture_output=True)
    written = (folder / ".github/workflows").glob("*.yml")
    offered = re.compile(r"(?m)^( +)# (?=[a-z-]+: \S)")
    return {path.stem: read(offered.sub(r"\1", path.read_text())) for path in written}


def shown():
    """The workflows on our pages and above our own that call ours, by where they are."""
    for path in tracked("*.md"):
        for text in re.findall(r"```yaml\n(.+?)```", path.read_text(), re.S):
            if re.search(r"uses: sluice/sluice\b", text):
                yield path.name, read(text)
    for name in SHIPPED:
        header = re.findall(r"(?m)^#   (.*)$", (OURS / f"{name}.yml").read_text())
        yield f"above {name}", read("\n".join(header))


@pytest.fixture(scope="module")
def callers(starters):
    """Each workflow that calls one of ours, and where it is."""
    rows = [*starters.items(), *shown()]
    found = [(where, tree) for where, tree in rows if calls(tree)]
    assert len(found) >= 2 * len(SHIPPED), found
    return found


# ---- permissions ---------------------------------------------------------------------------------


def test_each_job_may_do_what_the_page_says_and_nothing_else(starters):
    said = table()
    assert said.keys() == starters.keys(), said
    for name, tree in starters.items():
        for job in tree["jobs"]:
            assert permissions(tree, job) == said[name], name
        for _, inner in calls(tree):
            assert inner["permissions"] == {}, f"{name}: what its jobs do not name"
            for job in inner["jobs"]:
                assert permissions(inner, job) == said[name], name


def test_our_workflows_are_those_that_are_called(starters):
    assert {f"sluice-{name}" for name in SHIPPED} == {
        name for name, tree in starters.items() if calls(tree)}
    for name in SHIPPED:
        ((_, inner),) = calls(starters[f"sluice-{name}"])
        assert inner == ours(name)


def test_a_caller_grants_what_it_calls(callers):
    """GitHub does not start a run whose called job asks for more than the caller's job has."""
    for where, tree in callers:
        for job, inner in calls(tree):
            for within in inner["jobs"]:
                given, wanted = permissions(tree, job), permissions(inner, within)
                assert covers(given, wanted), f"{where}: {given} is not {wanted}"


def test_nothing_runs_for_a_stranger_with_our_rights(callers):
    for where, tree in [*callers, *((path.name, read(path.read_text())) for path in OURS.iterdir())]:
        events = tree.get("on", {})
        assert "pull_request_target" not in events, where


# ---- queues --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["release", "resume", "rollback"])
def test_what_is_under_way_is_not_cancelled(name):
    tree = ours(name)
    assert tree["concurrency"]["cancel-in-progress"] == "false"
    assert not any("concurrency" in job for job in tree["jobs"].values())


def test_no_workflow_waits_in_the_queue_of_another(callers):
    """Two groups are never the same when neither's fixed beginning begins the other's. A caller has
    none: one that had that of the workflow it calls would wait for itself."""
    fixed = {name: ours(name)["concurrency"]["group"].partition("${{")[0] for name in SHIPPED}
    for one, other in itertools.permutations(fixed, 2):
        assert not fixed[one].startswith(fixed[other]), (fixed[one], fixed[other])
    for where, tree in callers:
        assert not any("concurrency" in one for one in (tree, *tree["jobs"].values())), where


# ---- what is handed on ---------------------------------------------------------------------------


def test_what_a_caller_passes_is_declared_and_what_is_required_is_passed(callers):
    for where, tree in callers:
        for job, inner in calls(tree):
            given = tree["jobs"][job].get("with") or {}
            taken = declared(inner, "workflow_call")
            assert given.keys() <= taken.keys(), f"{where}: {given.keys() - taken.keys()}"
            assert required(taken) <= given.keys(), f"{where}: {required(taken) - given.keys()}"


def test_what_our_workflows_pass_to_the_action_is_declared():
    for name in SHIPPED:
        for job in ours(name)["jobs"].values():
            steps = [one for one in job["steps"] if REFERENCE.fullmatch(one.get("uses", ""))]
            assert steps, name
            for step in steps:
                assert step["with"].keys() <= ACTION["inputs"].keys(), name
                read_of = re.findall(rf"steps\.{step.get('id')}\.outputs\.([\w-]+)", str(job))
                assert set(read_of) <= ACTION["outputs"].keys(), name


def test_every_input_that_is_used_is_declared(callers):
    """And the other way round: an input that nothing uses promises something."""
    written = [(path.name, read(path.read_text())) for path in OURS.iterdir()]
    for where, tree in [*callers, *written]:
        if "on" not in tree:
            continue
        known = {*declared(tree, "workflow_call"), *declared(tree, "workflow_dispatch")}
        assert used_inputs(tree) == known, where


# ---- which of us is called -----------------------------------------------------------------------


def test_everybody_is_told_the_same_tag_and_it_is_pushed():
    found = {}
    for path in tracked():
        for ref in REFERENCE.findall(path.read_text(errors="replace")):
            found.setdefault(ref, []).append(path.name)
    assert len(found) == 1, found
    (ref,) = found
    assert re.fullmatch(r"v0|v\d+\.\d+\.\d+", ref), found
    pushing = [path.name for path in OURS.iterdir()
               if re.search(r"\bv0\b", path.read_text())
               and re.search(r"\bgit\b.* push\b|/git/refs\b", path.read_text())]
    assert ref != "v0" or pushing, "no workflow pushes v0"
