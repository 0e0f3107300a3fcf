"""Rust's own test runner, which writes JUnit XML where unstable options are let through."""
from workshop import Report


def cargo_test(shop):
    cargo = shop.command("cargo")
    version = shop.version([cargo, "--version"])
    here = shop.program("rust", "cargo")
    said = shop.run([cargo, "test", "--offline", "--lib", "-q", "--", "-Z", "unstable-options",
                     "--format", "junit"], here, (101,), RUSTC_BOOTSTRAP="1",
                    CARGO_TARGET_DIR=str(here / "target"))
    (here / "junit.xml").write_text(said)
    # It counts the ignored test and does not list it.
    yield Report("cargo", version, here / "junit.xml", "junit", {"tests": {
        "total": 3, "passed": 2, "failed": 1, "errors": 0, "skipped": 0, "flaky": 0}})


TOOLS = {"cargo": cargo_test}
