"""C's tools: gcovr in each of its formats and lcov, over what GCC's gcov counts; CTest; Bats."""
from workshop import Report

GCOVR = "8.8"

# programs/c: a line for the head of each function, and none for its last brace. `refund` does not
# run, and of the two ways of each `if` only that of a customer who is no member is not taken.
LINES = {"covered": 7, "total": 9}
BRANCHES = {"covered": 3, "total": 4}
COVERED = {"coverage": {"lines": LINES, "branches": BRANCHES, "files": 1}}


def built(shop, for_tool):
    here = shop.program("c", for_tool)
    gcc = shop.command("gcc")
    shop.run([gcc, "--coverage", "-O0", "-o", "check", "check.c", "prices.c"], here)
    shop.run(["./check"], here)
    return here


def gcovr(shop):
    run = shop.python(f"gcovr=={GCOVR}") / "gcovr"
    here = built(shop, "gcovr")
    shop.run([run, "-r", ".", "-f", "prices.c", "--cobertura", "cobertura.xml", "--json",
              "gcovr.json", "--json-summary", "summary.json", "--lcov", "gcovr.lcov", "--clover",
              "clover.xml", "--jacoco", "jacoco.xml"], here)
    for file, form in (("cobertura.xml", "cobertura"), ("gcovr.json", "gcovr-json"),
                       ("gcovr.lcov", "lcov")):
        yield Report("gcovr", GCOVR, here / file, form, COVERED)
    # Its Clover has no branches, and its JaCoCo no instructions: a line counts as covered only
    # where a branch says so, and that is said.
    yield Report("gcovr", GCOVR, here / "clover.xml", "clover",
                 {"coverage": {"lines": LINES, "files": 1}})
    yield Report("gcovr", GCOVR, here / "jacoco.xml", "jacoco", {"coverage": {
        "lines": {"covered": 2, "total": 9}, "branches": BRANCHES, "files": 1}}, [
            "7 of 9 lines do not say whether they ran (`ci` is missing): "
            "they count as not covered"])


def lcov(shop):
    run = shop.command("lcov")
    version = shop.version([run, "--version"])
    here = built(shop, "lcov")
    branches = ["--rc", "lcov_branch_coverage=1"]
    if int(version.split(".")[0]) >= 2:
        branches = ["--rc", "branch_coverage=1"]
    shop.run([run, "-q", "-c", "-d", ".", *branches, "-o", "all.info"], here)
    shop.run([run, "-q", "-e", "all.info", "*/prices.c", *branches, "-o", "lcov.info"], here)
    yield Report("lcov", version, here / "lcov.info", "lcov", COVERED)


def ctest(shop):
    run, cmake = shop.command("ctest"), shop.command("cmake")
    version = shop.version([run, "--version"])
    here = shop.program("c", "ctest")
    shop.run([cmake, "-S", ".", "-B", "out"], here)
    shop.run([cmake, "--build", "out"], here)
    shop.run([run, "--test-dir", "out", "--output-junit", "ctest.xml"], here, (8,))
    yield Report("ctest", version, here / "out/ctest.xml", "junit", {"tests": {
        "total": 4, "passed": 1, "failed": 1, "errors": 0, "skipped": 2, "flaky": 0}})


def bats(shop):
    run = shop.command("bats")
    version = shop.version([run, "--version"])
    here = shop.program("bats", "bats")
    for file, formatter, form in (("bats.tap", "tap", "tap"), ("bats.xml", "junit", "junit")):
        said = shop.run([run, "--formatter", formatter, "orders.bats"], here, (1,))
        (here / file).write_text(said)
        yield Report("bats", version, here / file, form, {"tests": {
            "total": 3, "passed": 1, "failed": 1, "errors": 0, "skipped": 1, "flaky": 0}})


TOOLS = {"ctest": ctest, "bats": bats, "gcovr": gcovr, "lcov": lcov}
