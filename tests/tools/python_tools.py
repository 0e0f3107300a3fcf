"""Python's tools: coverage.py, pytest with its writers, Ruff, Bandit, pip-audit,
cyclonedx-bom."""
import json

from workshop import CannotMake, Report

COVERAGE = "7.17.3"
PYTEST = "9.2.0"
PYTEST_CTRF = "0.6.1"
PIP_AUDIT = "2.10.1"
CYCLONEDX = "7.5.0"
RUFF = "0.17.6"
BANDIT = "1.9.4"

# programs/python: nine statements, of which only the body of `refund` does not run; of the two
# ways of each `if` only that of a customer who is no member is not taken.
COVERED = {"coverage": {"lines": {"covered": 8, "total": 9},
                        "branches": {"covered": 3, "total": 4}, "files": 1}}


def coverage(shop):
    tools = shop.python(f"coverage=={COVERAGE}", f"pytest=={PYTEST}")
    here = shop.program("python", "coverage")
    run = tools / "coverage"
    shop.run([run, "run", "--branch", "--include=prices.py", "-m", "pytest", "-q"], here, (1,))
    for what, file, form in (("xml", "coverage.xml", "cobertura"),
                             ("json", "coverage.json", "coveragepy"),
                             ("lcov", "coverage.lcov", "lcov")):
        shop.run([run, what, "-o", file], here)
        yield Report("coverage.py", COVERAGE, here / file, form, COVERED)


def pytest(shop):
    tools = shop.python(f"pytest=={PYTEST}")
    here = shop.program("python", "pytest")
    shop.run([tools / "pytest", "-q", "--junitxml=junit.xml"], here, (1,))
    # One is known to fail, and does: that is a pass.
    yield Report("pytest", PYTEST, here / "junit.xml", "junit", {"tests": {
        "total": 6, "passed": 3, "failed": 1, "errors": 1, "skipped": 1, "flaky": 0}})


def pytest_ctrf(shop):
    tools = shop.python(f"pytest=={PYTEST}", f"pytest-json-ctrf=={PYTEST_CTRF}")
    here = shop.program("python", "pytest-ctrf")
    shop.run([tools / "pytest", "-q", "--ctrf", "ctrf.json"], here, (1,))
    # It calls what is known to fail skipped, and a broken fixture a failure.
    yield Report("pytest-json-ctrf", PYTEST_CTRF, here / "ctrf.json", "ctrf", {"tests": {
        "total": 6, "passed": 2, "failed": 2, "errors": 0, "skipped": 2, "flaky": 0}})


def pip_audit(shop):
    tools = shop.python(f"pip-audit=={PIP_AUDIT}")
    here = shop.program("python", "pip-audit")
    (here / "requirements.txt").write_text("jinja2==2.11.2\n")
    shop.run([tools / "pip-audit", "-r", "requirements.txt", "--no-deps", "--disable-pip",
              "-f", "json", "-o", "audit.json"], here, (0, 1), timeout=120)
    listed = json.loads((here / "audit.json").read_text())["dependencies"]
    if any("skip_reason" in one for one in listed):
        yield Report("pip-audit", PIP_AUDIT, here / "audit.json", "pip-audit", {},
                     ["nothing was scanned: every dependency was skipped"])
        raise CannotMake("its service knows no package here: only its empty report was read")
    count = sum(len(one["vulns"]) for one in listed)
    yield Report("pip-audit", PIP_AUDIT, here / "audit.json", "pip-audit", {
        "vulnerabilities": {"total": count, "groups": count, "suppressed": 0}})


def cyclonedx_bom(shop):
    tools = shop.python(f"cyclonedx-bom=={CYCLONEDX}")
    here = shop.program("python", "cyclonedx-bom")
    (here / "requirements.txt").write_text("jinja2==2.11.2\n")
    for file, form in (("bom.json", "JSON"), ("bom.xml", "XML")):
        shop.run([tools / "cyclonedx-py", "requirements", "requirements.txt", "--of", form,
                  "-o", file], here)
        yield Report("cyclonedx-bom", CYCLONEDX, here / file, "cyclonedx", {},
                     ["nothing was scanned: the document holds no vulnerability information"])


def ruff(shop):
    run = shop.python(f"ruff=={RUFF}") / "ruff"
    here = shop.program("lint", "ruff")
    # programs/lint breaks these two rules, once each.
    check = [run, "check", "--isolated", "--no-cache", "--select", "F401,S307", "shop.py"]
    shop.run([*check, "--output-format", "sarif", "-o", "ruff.sarif"], here, (1,))
    yield Report("ruff", RUFF, here / "ruff.sarif", "sarif", {
        "vulnerabilities": {"total": 2, "groups": 2, "suppressed": 0}})
    shop.run([*check, "--output-format", "junit", "-o", "ruff.xml"], here, (1,))
    yield Report("ruff", RUFF, here / "ruff.xml", "junit", {"tests": {
        "total": 2, "passed": 0, "failed": 2, "errors": 0, "skipped": 0, "flaky": 0}})


def bandit(shop):
    run = shop.python(f"bandit[sarif]=={BANDIT}") / "bandit"
    here = shop.program("lint", "bandit")
    shop.run([run, "-q", "-f", "sarif", "-o", "bandit.sarif", "shop.py"], here, (1,))
    yield Report("bandit", BANDIT, here / "bandit.sarif", "sarif", {
        "vulnerabilities": {"total": 1, "groups": 1, "suppressed": 0}})


TOOLS = {"coverage.py": coverage, "pytest": pytest, "pytest-json-ctrf": pytest_ctrf,
         "ruff": ruff, "bandit": bandit, "pip-audit": pip_audit, "cyclonedx-bom": cyclonedx_bom}
