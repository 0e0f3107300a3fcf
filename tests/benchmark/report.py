#!/usr/bin/python3
"""report.py FORMAT MEGABYTES OUT: a large report of a made-up program; prints its totals.

FORMAT is cobertura, jacoco, clover, junit, lcov, coveragepy or istanbul. Every file has lines in
runs with gaps, about one in eight not hit, one in ten with branches. The figures come from a
counter, so the same arguments give the same bytes. Totals are of lines; of JUnit, tests that passed
and all tests.

    report.py tree FOLDER OUT: an LCOV report of every Python file below a folder, all lines hit
"""

import json
import sys
from pathlib import Path


def lines(seed, count=480):
    """(number, hits, branches hit, branches), for one file."""
    number, state = 0, seed * 2654435761 % 2**32
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        number += 1 + (state >> 28) // 11
        hits = 0 if (state >> 20) % 8 == 0 else 1 + (state >> 12) % 400
        total = 2 if (state >> 8) % 10 == 0 else 0
        yield number, hits, min(total, hits), total


def files(out, size, totals):
    """The numbers of files until the report is large enough, and their lines, which are counted."""
    file = 0
    while out.tell() < size:
        file += 1
        all_lines = list(lines(file))
        totals["lines"] += len(all_lines)
        totals["hit"] += sum(hits > 0 for _, hits, _, _ in all_lines)
        yield file, all_lines


def cobertura(out, size, totals):
    out.write('<?xml version="1.0" ?>\n<coverage version="7"')
    out.write(' timestamp="0">\n\t<sources>\n\t\t<source>/srv/build</source>\n\t</sources>\n\t<packages>\n')
    out.write('\t\t<package name="app">\n\t\t\t<classes>\n')
    for file, all_lines in files(out, size, totals):
        out.write(f'\t\t\t\t<class name="m{file}.py" filename="app/part{file % 97}/m{file}.py">\n')
        out.write("\t\t\t\t\t<methods/>\n\t\t\t\t\t<lines>\n")
        for number, hits, hit, total in all_lines:
            more = ""
            if total:
                more = f' branch="true" condition-coverage="{100 * hit // total}% ({hit}/{total})"'
            out.write(f'\t\t\t\t\t\t<line number="{number}" hits="{hits}"{more}/>\n')
        out.write("\t\t\t\t\t</lines>\n\t\t\t\t</class>\n")
    out.write("\t\t\t</classes>\n\t\t</package>\n\t</packages>\n</coverage>\n")


def jacoco(out, size, totals):
    out.write('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><!DOCTYPE report PUBLIC '
              '"-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report name="app">')
    out.write('<sessioninfo id="build-1" start="1700000000000" dump="1700000001000"/>')
    for file, all_lines in files(out, size, totals):
        out.write(f'<package name="org/app/part{file}"><sourcefile name="M{file}.java">')
        for number, hits, hit, total in all_lines:
            missed = 0 if hits else 3
            out.write(f'<line nr="{number}" mi="{missed}" ci="{3 - missed}" mb="{total - hit}" cb="{hit}"/>')
        out.write("</sourcefile></package>")
    out.write("</report>\n")


def clover(out, size, totals):
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<coverage generated="1700000000">\n'
              '  <project timestamp="1700000000">\n')
    for file, all_lines in files(out, size, totals):
        out.write(f'    <file name="/srv/build/src/M{file}.php">\n')
        for number, hits, _, _ in all_lines:
            out.write(f'      <line num="{number}" type="stmt" count="{hits}"/>\n')
        out.write("    </file>\n")
    out.write("  </project>\n</coverage>\n")


def junit(out, size, totals):
    out.write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n')
    for file, all_lines in files(out, size, totals):
        totals["hit"] += sum(hits == 0 for _, hits, _, _ in all_lines)  # all of them pass
        out.write(f'<testsuite name="suite{file}" tests="{len(all_lines)}" failures="0" errors="0" skipped="0">\n')
        for number, hits, _, _ in all_lines:
            out.write(f'<testcase classname="tests.part{file % 97}.test_m{file}" '
                      f'name="test_what_happens_{number}" time="0.{hits:03}"/>\n')
        out.write("</testsuite>\n")
    out.write("</testsuites>\n")


def lcov(out, size, totals):
    for file, all_lines in files(out, size, totals):
        out.write(f"TN:\nSF:/srv/build/app/part{file % 97}/m{file}.c\n")
        for number, hits, hit, total in all_lines:
            for branch in range(total):
                taken = "-" if hits == 0 else int(branch < hit)
                out.write(f"BRDA:{number},0,{branch},{taken}\n")
            out.write(f"DA:{number},{hits}\n")
        out.write(f"LF:{len(all_lines)}\nLH:{sum(hits > 0 for _, hits, _, _ in all_lines)}\nend_of_record\n")


def coveragepy(out, size, totals):
    out.write('{"meta": {"format": 3, "version": "7.6.10", "branch_coverage": false, '
              '"show_contexts": false}, "files": {')
    for file, all_lines in files(out, size, totals):
        hit = [number for number, hits, _, _ in all_lines if hits]
        missed = [number for number, hits, _, _ in all_lines if not hits]
        one = {"executed_lines": hit,
               "summary": {"covered_lines": len(hit), "num_statements": len(all_lines),
                           "percent_covered": 100 * len(hit) / len(all_lines),
                           "missing_lines": len(missed), "excluded_lines": 0},
               "missing_lines": missed, "excluded_lines": []}
        out.write(f'{", " if file > 1 else ""}"app/part{file % 97}/m{file}.py": {json.dumps(one)}')
    out.write("}}")


def istanbul(out, size, totals):
    for file, all_lines in files(out, size, totals):
        path = f"/srv/build/src/m{file}.js"
        places = {str(n): {"start": {"line": number, "column": 2}, "end": {"line": number, "column": 30}}
                  for n, (number, _, _, _) in enumerate(all_lines)}
        counts = {str(n): hits for n, (_, hits, _, _) in enumerate(all_lines)}
        one = {"path": path, "statementMap": places, "fnMap": {}, "branchMap": {}, "s": counts,
               "f": {}, "b": {}}
        out.write(f'{", " if file > 1 else "{"}"{path}": {json.dumps(one)}')
    out.write("}")


def tree(folder, path):
    with open(path, "w") as out:
        for source in sorted(Path(folder).rglob("*.py")):
            count = source.read_bytes().count(b"\n")
            out.write(f"SF:{source.relative_to(folder)}\n")
            out.writelines(f"DA:{n},1\n" for n in range(1, count + 1))
            out.write("end_of_record\n")


def main():
    kind, path = sys.argv[1], sys.argv[3]
    if kind == "tree":
        return tree(sys.argv[2], path)
    writers = {"cobertura": cobertura, "jacoco": jacoco, "clover": clover, "junit": junit,
               "lcov": lcov, "coveragepy": coveragepy, "istanbul": istanbul}
    totals = {"lines": 0, "hit": 0}
    with open(path, "w", buffering=1 << 20) as out:
        writers[kind](out, int(float(sys.argv[2]) * 1_000_000), totals)
    print(f"{totals['hit']}/{totals['lines']}")


if __name__ == "__main__":
    main()
