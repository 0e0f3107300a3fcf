"""One program's coverage gives the same totals in every format that can carry it.

The program is the table below: which lines can run, how often they did, and which branches of a
line were taken. Each writer writes it as the tool of its format would.
"""
import json
import os
import subprocess
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

HERE = Path(__file__).resolve().parent
BINARY = os.environ.get("SLUICE", str(HERE.parents[1] / "build" / "asan" / "sluice"))

# file: {line: (times it ran, times each of its branches was taken)}
PROGRAM = {
    "shop/pay/card.x": {
        3: (5, ()), 4: (5, ()), 5: (5, (5, 0)), 6: (5, ()), 8: (0, ()), 9: (0, ()),
        11: (5, (2, 3)), 12: (2, ()), 14: (3, ()), 15: (3, ()), 17: (5, ()), 18: (1, (1, 0)),
        19: (1, ()), 21: (0, (0, 0)), 22: (0, ()),
    },
    "shop/pay/rate.x": {
        1: (1, ()), 2: (1, ()), 64: (7, (4, 3)), 65: (4, ()), 66: (3, ()), 127: (0, ()),
        128: (0, (0, 0)), 129: (0, ()), 200: (1, ()),
    },
    "shop/main.x": {
        **{line: (1, ()) for line in range(10, 20)},
        20: (12, (11, 1)), 21: (11, ()), 22: (1, ()), 30: (0, ()), 31: (0, ()), 32: (0, ()),
    },
}
LINES = [line for lines in PROGRAM.values() for line in lines.values()]
BRANCHES = [taken for _, branches in LINES for taken in branches]
HIT = sum(hits > 0 for hits, _ in LINES)
TAKEN = sum(taken > 0 for taken in BRANCHES)


def each():
    return PROGRAM.items()


def sums(lines):
    """Lines hit, lines, branches taken, branches."""
    arms = [taken for _, branches in lines.values() for taken in branches]
    return (sum(hits > 0 for hits, _ in lines.values()), len(lines),
            sum(taken > 0 for taken in arms), len(arms))


def cobertura():
    out = [f'<?xml version="1.0" ?>\n<coverage lines-valid="{len(LINES)}" lines-covered="{HIT}" '
           f'branches-valid="{len(BRANCHES)}" branches-covered="{TAKEN}"><packages>'
           '<package name="shop"><classes>']
    for path, lines in each():
        out.append(f'<class name="c" filename="{path}"><methods/><lines>')
        for line, (hits, arms) in lines.items():
            taken = sum(n > 0 for n in arms)
            more = (f' branch="true" condition-coverage="{100 * taken // len(arms)}% '
                    f'({taken}/{len(arms)})"' if arms else "")
            out.append(f'<line number="{line}" hits="{hits}"{more}/>')
        out.append("</lines></class>")
    return "\n".join(out + ["</classes></package></packages></coverage>"])


def lcov():
    out = []
    for path, lines in each():
        hit, count, taken, arms = sums(lines)
        out += ["TN:", f"SF:{path}"]
        for line, (hits, branches) in lines.items():
            out.append(f"DA:{line},{hits}")
            out += [f"BRDA:{line},0,{i},{n if hits else '-'}" for i, n in enumerate(branches)]
        out += [f"LF:{count}", f"LH:{hit}", f"BRF:{arms}", f"BRH:{taken}", "end_of_record"]
    return "\n".join(out) + "\n"


def clover():
    def metrics(hit, count, taken, arms):
        return (f'<metrics statements="{count}" coveredstatements="{hit}" conditionals="{arms}" '
                f'coveredconditionals="{taken}" methods="0" coveredmethods="0"/>')
    out = ['<?xml version="1.0"?>\n<coverage generated="1" clover="4.4.1"><project timestamp="1">',
           metrics(HIT, len(LINES), TAKEN, len(BRANCHES))]
    for path, lines in each():
        out.append(f'<file name="{path.split("/")[-1]}" path="{path}">{metrics(*sums(lines))}')
        for line, (hits, arms) in lines.items():
            out.append(f'<line num="{line}" type="stmt" count="{hits}"/>')
            if arms:
                out.append(f'<line num="{line}" type="cond" truecount="{arms[0]}" '
                           f'falsecount="{arms[1]}"/>')
        out.append("</file>")
    return "\n".join(out + ["</project></coverage>"])


def jacoco():
    def counters(hit, count, taken, arms):
        return (f'<counter type="BRANCH" missed="{arms - taken}" covered="{taken}"/>'
                f'<counter type="LINE" missed="{count - hit}" covered="{hit}"/>')
    out = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
           '<!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">'
           '<report name="shop">']
    for path, lines in each():
        package, name = path.rsplit("/", 1)
        out.append(f'<package name="{package}"><sourcefile name="{name}">')
        for line, (hits, arms) in lines.items():
            taken = sum(n > 0 for n in arms)
            ran = 4 if hits else 0
            out.append(f'<line nr="{line}" mi="{4 - ran}" ci="{ran}" mb="{len(arms) - taken}" '
                       f'cb="{taken}"/>')
        out.append(f"{counters(*sums(lines))}</sourcefile>{counters(*sums(lines))}</package>")
    return "".join(out + [counters(HIT, len(LINES), TAKEN, len(BRANCHES)), "</report>"])


def opencover():
    def summary(hit, count, taken, arms):
        return (f'<Summary numSequencePoints="{count}" visitedSequencePoints="{hit}" '
                f'numBranchPoints="{arms}" visitedBranchPoints="{taken}"/>')
    out = ['<?xml version="1.0" encoding="utf-8"?><CoverageSession>',
           summary(HIT, len(LINES), TAKEN, len(BRANCHES)), "<Modules><Module><Files>"]
    out += [f'<File uid="{uid}" fullPath="{path}"/>' for uid, path in enumerate(PROGRAM, 1)]
    out.append("</Files><Classes>")
    for uid, (_, lines) in enumerate(each(), 1):
        name = quoteattr(f"System.Void Shop.C{uid}::Run()")[1:-1]
        out.append(f"<Class>{summary(*sums(lines))}<Methods><Method><Name>{name}</Name>"
                   f'<FileRef uid="{uid}"/><SequencePoints>')
        out += [f'<SequencePoint vc="{hits}" uspid="{line}" ordinal="{i}" sl="{line}" sc="1" '
                f'el="{line}" ec="9" fileid="{uid}"/>'
                for i, (line, (hits, _)) in enumerate(lines.items())]
        out.append("</SequencePoints><BranchPoints>")
        out += [f'<BranchPoint vc="{n}" uspid="0" ordinal="{i}" path="{i}" sl="{line}" '
                f'fileid="{uid}"/>'
                for line, (_, arms) in lines.items() for i, n in enumerate(arms)]
        out.append("</BranchPoints></Method></Methods></Class>")
    return "\n".join(out + ["</Classes></Module></Modules></CoverageSession>"])


def go_cover():
    return "mode: count\n" + "".join(f"{path}:{line}.1,{line}.20 1 {hits}\n"
                                     for path, lines in each()
                                     for line, (hits, _) in lines.items())


def coveragepy():
    def summary(hit, count, taken, arms):
        return {"covered_lines": hit, "num_statements": count, "percent_covered": 0.0,
                "missing_lines": count - hit, "excluded_lines": 0, "num_branches": arms,
                "num_partial_branches": 0, "covered_branches": taken,
                "missing_branches": arms - taken}
    files = {}
    for path, lines in each():
        arcs = [([line, line + 1 + i], n) for line, (_, arms) in lines.items()
                for i, n in enumerate(arms)]
        files[path] = {
            "executed_lines": [line for line, (hits, _) in lines.items() if hits],
            "summary": summary(*sums(lines)),
            "missing_lines": [line for line, (hits, _) in lines.items() if not hits],
            "excluded_lines": [],
            "executed_branches": [arc for arc, n in arcs if n],
            "missing_branches": [arc for arc, n in arcs if not n],
        }
    return json.dumps({"meta": {"format": 3, "version": "7.6.1", "branch_coverage": True,
                                "timestamp": "2027-01-01T00:00:00", "show_contexts": False},
                       "files": files, "totals": summary(HIT, len(LINES), TAKEN, len(BRANCHES))})


def istanbul():
    def span(line, first, last):
        return {"start": {"line": line, "column": first}, "end": {"line": line, "column": last}}
    report = {}
    for path, lines in each():
        branching = [(line, arms) for line, (_, arms) in lines.items() if arms]
        report[path] = {
            "path": path,
            "statementMap": {str(i): span(line, 2, 40) for i, line in enumerate(lines)},
            "fnMap": {}, "f": {},
            "branchMap": {str(i): {"loc": span(line, 2, 30), "type": "if", "line": line,
                                   "locations": [span(line, 2, 30), span(line, 9, 30)]}
                          for i, (line, _) in enumerate(branching)},
            "s": {str(i): hits for i, (hits, _) in enumerate(lines.values())},
            "b": {str(i): list(arms) for i, (_, arms) in enumerate(branching)},
        }
    return json.dumps(report)


def gcovr():
    def line_of(line, hits, arms):
        return {"line_number": line, "function_name": "run", "count": hits, "branches": [
            {"branchno": i, "count": n, "fallthrough": i == 0, "throw": False,
             "source_block_id": 2, "destination_block_id": 3 + i} for i, n in enumerate(arms)]}
    return json.dumps({"gcovr/format_version": "0.14", "files": [
        {"file": path, "functions": [],
         "lines": [line_of(line, hits, arms) for line, (hits, arms) in lines.items()]}
        for path, lines in each()]})


def llvm_cov():
    def share(covered, count):
        return {"count": count, "covered": covered, "notcovered": count - covered, "percent": 0}

    def summary(hit, count, taken, arms):
        return {"lines": share(hit, count), "branches": share(taken, arms)}
    files = []
    for path, lines in each():
        segments = []
        for line, (hits, _) in lines.items():  # a region of this line alone
            segments.append([line, 1, hits, True, True, False])
            segments.append([line, 40, 0, False, False, False])
        files.append({"filename": path, "segments": segments, "expansions": [],
                      "branches": [[line, 5, line, 20, *arms, 0, 0, 4]
                                   for line, (_, arms) in lines.items() if arms],
                      "summary": summary(*sums(lines))})
    return json.dumps({"data": [{"files": files, "functions": [],
                                 "totals": summary(HIT, len(LINES), TAKEN, len(BRANCHES))}],
                       "type": "llvm.coverage.json.export", "version": "2.0.1"})


def simplecov():
    coverage = {}
    for path, lines in each():
        branches = {}
        for n, (line, (_, arms)) in enumerate(lines.items()):
            if arms:
                branches[f"[:if, {3 * n}, {line}, 2, {line}, 40]"] = {
                    f"[:then, {3 * n + 1}, {line}, 9, {line}, 20]": arms[0],
                    f"[:else, {3 * n + 2}, {line}, 22, {line}, 40]": arms[1]}
        coverage[path] = {"branches": branches, "lines": [
            lines[line][0] if line in lines else None for line in range(1, max(lines) + 1)]}
    return json.dumps({"RSpec": {"coverage": coverage, "timestamp": 1700000000}})


WRITERS = {
    "cobertura": cobertura, "lcov": lcov, "clover": clover, "jacoco": jacoco,
    "opencover": opencover, "go-cover": go_cover, "coveragepy": coveragepy,
    "istanbul-json": istanbul, "gcovr-json": gcovr, "llvm-cov-json": llvm_cov,
    "simplecov": simplecov,
}
WITHOUT_BRANCHES = {"go-cover"}


def run(folder, *words):
    return subprocess.run([BINARY, *words], cwd=folder, capture_output=True, text=True,
                          check=False, timeout=60)


@pytest.mark.parametrize("name", WRITERS)
def test_totals(name, tmp_path):
    (tmp_path / "report").write_text(WRITERS[name](), encoding="utf-8")
    done = run(tmp_path, "read", "--format", "json", "report")
    file = json.loads(done.stdout)["files"][0]
    coverage = file["totals"].get("coverage", {})
    want = {"lines": {"covered": HIT, "total": len(LINES)}, "files": len(PROGRAM)}
    if name not in WITHOUT_BRANCHES:
        want["branches"] = {"covered": TAKEN, "total": len(BRANCHES)}
    assert (file["format"], file["error"], file["suspect"]) == (name, None, [])
    assert coverage == want
    assert done.returncode == 0


def test_all_of_them_together_are_one_program(tmp_path):
    for name, writer in WRITERS.items():
        (tmp_path / f"{name}.report").write_text(writer(), encoding="utf-8")
    (tmp_path / "c.yml").write_text(
        "version: 1\nevidence: {coverage: {reports: '*.report'}}\ngate: {coverage: {total: 1%}}\n",
        encoding="utf-8")
    done = run(tmp_path, "gate", "--config", "c.yml", "--format", "json")
    decision = json.loads(done.stdout)
    assert sorted(one["format"] for one in decision["evidence"]) == sorted(WRITERS)
    assert decision["totals"]["coverage"]["lines"] == {"covered": HIT, "total": len(LINES)}
    assert decision["totals"]["coverage"]["files"] == len(PROGRAM)
