"""policies/sluice.schema.json is what `sluice check --schema` prints; UPDATE=1 writes it anew."""
import json
import os
import subprocess
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SLUICE", str(ROOT / "build" / "asan" / "sluice"))
SCHEMA = ROOT / "policies/sluice.schema.json"


def test_the_schema_in_the_repository_is_current():
    printed = subprocess.run([BINARY, "check", "--schema"], capture_output=True, check=True).stdout
    if os.environ.get("UPDATE") == "1":
        SCHEMA.write_bytes(printed)
    assert SCHEMA.read_bytes() == printed, "UPDATE=1 rewrites it"


def test_it_is_a_schema_and_judges():
    schema = json.loads(SCHEMA.read_text())
    judge = jsonschema.Draft202012Validator(schema)
    judge.check_schema(schema)
    good = {"version": 1, "gate": {"coverage": {"total": "55%", "changed": "80%"}}}
    assert judge.is_valid(good)
    assert not judge.is_valid({"version": 1, "gate": {"coverge": {}}})
    assert not judge.is_valid({"version": 1, "gate": {"coverage": {"total": "many"}}})
    assert not judge.is_valid({})
