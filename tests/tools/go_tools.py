"""Go's own test runner and coverage, and gotestsum."""
from workshop import Report

GOTESTSUM = "1.13.0"

# programs/go: `Price` is nine lines of blocks, all of which run; `Refund` is three that do not.
COVERED = {"coverage": {"lines": {"covered": 9, "total": 12}, "files": 1}}
# A test counts beside its two subtests, of which one fails.
TESTED = {"tests": {"total": 5, "passed": 2, "failed": 2, "errors": 0, "skipped": 1, "flaky": 0}}


def go_test(shop):
    go = shop.command("go")
    version = shop.version([go, "version"])
    here = shop.program("go", "go")
    for mode in ("set", "atomic"):
        said = shop.run([go, "test", f"-covermode={mode}", f"-coverprofile={mode}.out", "-json",
                         "."], here, (1,))
        yield Report("go", version, here / f"{mode}.out", "go-cover", COVERED)
    (here / "tests.json").write_text(said)
    yield Report("go", version, here / "tests.json", "go-test-json", TESTED)


def gotestsum(shop):
    run = shop.go(f"gotest.tools/gotestsum@v{GOTESTSUM}")
    here = shop.program("go", "gotestsum")
    shop.run([run, "--junitfile", "junit.xml", "--jsonfile", "tests.json"], here, (1,))
    yield Report("gotestsum", GOTESTSUM, here / "junit.xml", "junit", TESTED)
    yield Report("gotestsum", GOTESTSUM, here / "tests.json", "go-test-json", TESTED)


TOOLS = {"go": go_test, "gotestsum": gotestsum}
