"""What real tools made of our own programs (tests/tools): sluice reads the truth in it."""
import json
import os
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"
sys.path.insert(0, str(TOOLS))
from workshop import differences, reading  # noqa: E402

BINARY = os.environ.get("SLUICE", str(TOOLS.parents[1] / "build" / "asan" / "sluice"))
REPORTS = sorted((expected.parent / name, want)
                 for expected in TOOLS.glob("fixtures/*/expected.json")
                 for name, want in json.loads(expected.read_text(encoding="utf-8")).items())


@pytest.mark.parametrize("file, want", REPORTS,
                         ids=[f"{file.parent.name}/{file.name}" for file, _ in REPORTS])
def test_real_report(file, want):
    assert not differences(reading(BINARY, file), want)


def test_every_fixture_is_expected():
    kept = {file for file in TOOLS.glob("fixtures/*/*") if file.name != "expected.json"}
    assert kept and kept == {file for file, _ in REPORTS}
