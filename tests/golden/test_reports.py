"""`sluice read` over reports/READER/CASE/input; UPDATE=1 rewrites expected.json."""
import json
import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BINARY = os.environ.get("SLUICE", str(HERE.parents[1] / "build" / "asan" / "sluice"))
CASES = sorted(path.parent for path in HERE.glob("reports/*/*/input"))


@pytest.mark.parametrize("case", CASES, ids=[f"{c.parent.name}/{c.name}" for c in CASES])
def test_report(case):
    done = subprocess.run([BINARY, "read", "--format", "json", "input"], cwd=case,
                          capture_output=True, text=True, check=False, timeout=60)
    assert "ERROR:" not in done.stderr and "runtime error" not in done.stderr
    if os.environ.get("UPDATE") == "1":
        (case / "expected.json").write_text(done.stdout, encoding="utf-8")
    have = json.loads(done.stdout)
    assert have == json.loads((case / "expected.json").read_text(encoding="utf-8"))
    file = have["files"][0]
    assert done.returncode == (2 if file["error"] or file["suspect"] else 0)
    if case.parent.name == "unknown":
        assert file["format"] is None and file["error"]
    else:
        assert file["format"] == case.parent.name
