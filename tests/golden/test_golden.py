"""Runs the built program over the golden cases; UPDATE=1 rewrites what they expect."""
import os
import re
from pathlib import Path

import pytest

import cases

HERE = Path(__file__).resolve().parent
BINARY = os.environ.get("SLUICE", str(HERE.parents[1] / "build" / "asan" / "sluice"))
UPDATE = os.environ.get("UPDATE") == "1"
FILES = sorted(HERE.glob("*/*.case"))
ALL = [(path, case.name) for path in FILES for case in cases.parse(path)[1]]


@pytest.mark.parametrize("path, name", ALL, ids=[f"{p.parent.name}/{p.stem}: {n}" for p, n in ALL])
def test_case(path, name, tmp_path):
    preamble, parsed = cases.parse(path)
    case = next(c for c in parsed if c.name == name)
    results = cases.play(BINARY, case, tmp_path / "repository")
    expected = case.of("expect")
    if UPDATE:
        sections = []
        for section in case.sections:
            if section.kind == "expect":
                continue
            sections.append(section)
            if section.kind in ("run", "run-bare"):
                code, lines = results.pop(0)
                sections.append(cases.Section("expect", code))
                sections[-1].lines = lines
        case.sections = sections
        cases.write(path, preamble, parsed)
        return
    assert len(expected) == len(results), "every run needs an expect"
    for section, (code, lines) in zip(expected, results):
        assert "\n".join(lines).rstrip("\n") == "\n".join(section.lines)
        assert code == section.argument


def test_names_are_unique():
    for path in FILES:
        names = [case.name for case in cases.parse(path)[1]]
        assert len(names) == len(set(names)), path


# What is wrong with these is not at a place: a file that is not there.
NOWHERE = {"no configuration", "a file that is not there"}
PLACE = re.compile(r"^(?:  unusable  )?[\w./-]+:\d+(?::\d+)?: \S", re.M)


def test_bad_input_is_refused_with_a_sentence_and_a_place():
    """Each bad input ends with exit code 2 and names file and line; contradictions in a report are
    said as such."""
    table = [case for path in FILES if path.parent.name == "bad-input"
             for case in cases.parse(path)[1]]
    assert len(table) >= 40
    for case in table:
        for section in case.of("expect"):
            text = "\n".join(section.lines)
            assert section.argument == "2", case.name
            assert "ERROR:" not in text and "runtime error" not in text, case.name
            assert case.name in NOWHERE or PLACE.search(text) or "  suspect   " in text, case.name
