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

import xml_report


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


def lcov(out, size, totals):
    """As geninfo writes it: functions, one for twenty lines, then branches and lines."""
    for file, all_lines in files(out, size, totals):
        out.write(f"TN:\nSF:/srv/build/app/part{file % 97}/m{file}.c\n")
        starts = all_lines[::20]
        names = [f"m{file}_what_is_done_at_{number}" for number, _, _, _ in starts]
        out.writelines(f"FN:{one[0]},{name}\n" for one, name in zip(starts, names))
        out.writelines(f"FNDA:{one[1]},{name}\n" for one, name in zip(starts, names))
        out.write(f"FNF:{len(starts)}\nFNH:{sum(one[1] > 0 for one in starts)}\n")
        for number, hits, hit, total in all_lines:
            for branch in range(total):
                taken = "-" if hits == 0 else int(branch < hit)
                out.write(f"BRDA:{number},0,{branch},{taken}\n")
            out.write(f"DA:{number},{hits}\n")
        out.write(f"LF:{len(all_lines)}\nLH:{sum(hits > 0 for _, hits, _, _ in all_lines)}\nend_of_record\n")


def gocover(out, size, totals):
    out.write("mode: count\n")
    for file, all_lines in files(out, size, totals):
        for number, hits, _, _ in all_lines:
            out.write(f"example.org/app/part{file % 97}/m{file}.go:{number}.2,{number}.31 1 {hits}\n")


def tap(out, size, totals):
    out.write("TAP version 13\n")
    number = 0
    for file, all_lines in files(out, size, totals):
        for line, hits, _, _ in all_lines:
            number += 1
            word = "ok" if hits else "not ok"
            out.write(f"{word} {number} - m{file} does what is to happen at {line}\n")
    out.write(f"1..{number}\n")


def jmeter(out, size, totals):
    out.write("timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,"
              "failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n")
    moment = 1700000000000
    for file, all_lines in files(out, size, totals):
        for number, hits, _, _ in all_lines:
            moment += hits % 7
            end = "200,OK,Users 1-{0},text,true," if hits else "500,Internal Server Error,Users 1-{0},text,false,"
            out.write(f"{moment},{20 + hits},GET /api/part{file % 97},{end.format(number % 40)},"
                      f"{1000 + hits},180,40,40,https://shop.example.org/api/part{file % 97},{15 + hits},0,{hits % 3}\n")


def gatling(out, size, totals):
    out.write("RUN\torg.shop.Load\tload\t1700000000000\t \t3.9.5\n")
    moment = 1700000000000
    for file, all_lines in files(out, size, totals):
        for _, hits, _, _ in all_lines:
            moment += hits % 7
            word, message = ("OK", " ") if hits else ("KO", "status was 500")
            out.write(f"REQUEST\t\tGET /api/part{file % 97}\t{moment}\t{moment + 20 + hits}\t{word}\t{message}\n")


def epss(out, size, totals):
    out.write("#model_version:v2025.03.14,score_date:2026-11-02T00:00:00+0000\ncve,epss,percentile\n")
    for file, all_lines in files(out, size, totals):
        totals["hit"] = totals["lines"]  # each row is a statement
        for number, hits, _, _ in all_lines:
            out.write(f"CVE-{1999 + file % 27}-{file * 1000 + number},{hits / 400:.5f},{hits / 401:.5f}\n")


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
    writers = {"cobertura": cobertura, "jacoco": jacoco, "clover": clover,
               "lcov": lcov, "gocover": gocover, "tap": tap, "jmeter": jmeter, "gatling": gatling,
               "epss": epss, "coveragepy": coveragepy, "istanbul": istanbul} | xml_report.WRITERS
    totals = {"lines": 0, "hit": 0}
    with open(path, "w", buffering=1 << 20) as out:
        writers[kind](out, int(float(sys.argv[2]) * 1_000_000), totals)
    print(f"{totals['hit']}/{totals['lines']}")


if __name__ == "__main__":
    main()
