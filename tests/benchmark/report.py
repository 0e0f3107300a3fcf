#!/usr/bin/python3
"""report.py cobertura|lcov MEGABYTES OUT: a large report of a made-up program; prints its totals.

Every file has lines in runs with gaps, about one in eight not hit, one in ten with branches. The
figures come from a counter, so the same arguments give the same bytes.
"""

import sys


def lines(seed, count=480):
    """(number, hits, branches hit, branches), for one file."""
    number, state = 0, seed * 2654435761 % 2**32
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        number += 1 + (state >> 28) // 11
        hits = 0 if (state >> 20) % 8 == 0 else 1 + (state >> 12) % 400
        total = 2 if (state >> 8) % 10 == 0 else 0
        yield number, hits, min(total, hits), total


def cobertura(out, size, totals):
    out.write('<?xml version="1.0" ?>\n<coverage version="7"')
    out.write(' timestamp="0">\n\t<sources>\n\t\t<source>/srv/build</source>\n\t</sources>\n\t<packages>\n')
    out.write('\t\t<package name="app">\n\t\t\t<classes>\n')
    file = 0
    while out.tell() < size:
        file += 1
        out.write(f'\t\t\t\t<class name="m{file}.py" filename="app/part{file % 97}/m{file}.py">\n')
        out.write("\t\t\t\t\t<methods/>\n\t\t\t\t\t<lines>\n")
        for number, hits, hit, total in lines(file):
            totals["lines"] += 1
            totals["hit"] += hits > 0
            more = ""
            if total:
                more = f' branch="true" condition-coverage="{100 * hit // total}% ({hit}/{total})"'
            out.write(f'\t\t\t\t\t\t<line number="{number}" hits="{hits}"{more}/>\n')
        out.write("\t\t\t\t\t</lines>\n\t\t\t\t</class>\n")
    out.write("\t\t\t</classes>\n\t\t</package>\n\t</packages>\n</coverage>\n")


def lcov(out, size, totals):
    file = 0
    while out.tell() < size:
        file += 1
        out.write(f"TN:\nSF:/srv/build/app/part{file % 97}/m{file}.c\n")
        found = hit_lines = 0
        for number, hits, hit, total in lines(file):
            found += 1
            hit_lines += hits > 0
            for branch in range(total):
                taken = "-" if hits == 0 else int(branch < hit)
                out.write(f"BRDA:{number},0,{branch},{taken}\n")
            out.write(f"DA:{number},{hits}\n")
        out.write(f"LF:{found}\nLH:{hit_lines}\nend_of_record\n")
        totals["lines"] += found
        totals["hit"] += hit_lines


def main():
    kind, megabytes, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    totals = {"lines": 0, "hit": 0}
    with open(path, "w", buffering=1 << 20) as out:
        {"cobertura": cobertura, "lcov": lcov}[kind](out, megabytes * 1_000_000, totals)
    print(f"{totals['hit']}/{totals['lines']}")


if __name__ == "__main__":
    main()
