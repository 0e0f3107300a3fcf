"""Workflow files as GitHub reads them: what their jobs may do, what they take in, whom they call."""

import json
import re

import pytest

from conftest import ROOT

yaml = pytest.importorskip("yaml", reason="skipped: python3-yaml is not installed")

OURS = ROOT / ".github/workflows"
CALL = re.compile(r"sluice/sluice/\.github/workflows/([\w-]+)\.yml@\S+")
LEVELS = ("none", "read", "write")


def read(text):
    """The tree; every scalar is the text that is written, `on` and `false` too."""
    return yaml.load(text, Loader=yaml.BaseLoader)


def ours(name):
    return read((OURS / f"{name}.yml").read_text())


def permissions(tree, job):
    """Those that the job writes down, or the whole workflow for it."""
    given = tree["jobs"][job].get("permissions", tree.get("permissions"))
    assert isinstance(given, dict), f"{job}: nobody has written down what it may do"
    return given


def called(tree, job):
    """The workflow of ours that the job calls; None where it has steps of its own."""
    call = CALL.fullmatch(tree["jobs"][job].get("uses", ""))
    return call and ours(call[1])


def calls(tree):
    """Its jobs that call one of ours, each with what it calls."""
    return [(job, called(tree, job)) for job in tree["jobs"] if called(tree, job)]


def covers(given, wanted):
    """Whether whoever has the first permissions has the second."""
    return all(LEVELS.index(given.get(name, "none")) >= LEVELS.index(level)
               for name, level in wanted.items())


def token_permissions(tree):
    """What the token of a run of it has: what its one job writes down, and where that calls ours, what
    the job there asks for, out of what the caller grants."""
    (job,) = tree["jobs"]
    given, inner = permissions(tree, job), called(tree, job)
    if not inner:
        return given
    (within,) = inner["jobs"]
    asked = permissions(inner, within)
    return {name: min(given[name], level, key=LEVELS.index)
            for name, level in asked.items() if name in given}


def declared(tree, event):
    """The inputs that an event brings, by their names."""
    return (tree["on"].get(event) or {}).get("inputs") or {}


def required(inputs):
    return {name for name, words in inputs.items() if words and words.get("required") == "true"}


def used_inputs(tree):
    """The names in `inputs.NAME` anywhere but in a comment."""
    return set(re.findall(r"\binputs\.([\w-]+)", json.dumps(tree)))
