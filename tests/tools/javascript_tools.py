"""JavaScript's tools: Node's own test runner, Mocha, Jest, Vitest, Playwright, Cucumber, ESLint,
nyc, c8, npm audit."""
import json
import re

from workshop import CannotMake, Report

MOCHA, MOCHA_JUNIT, MOCHA_CTRF = "11.8.0", "2.2.1", "0.0.11"
NYC, C8 = "17.1.0", "10.1.3"
JEST, JEST_JUNIT, JEST_CTRF = "29.7.0", "16.0.0", "0.0.11"
VITEST = "3.2.4"
PLAYWRIGHT = "1.49.1"
CUCUMBER = "11.3.0"
MOCHAWESOME = "7.1.4"
ESLINT, ESLINT_SARIF = "9.39.5", "3.1.0"

TESTED = {"tests": {"total": 4, "passed": 2, "failed": 1, "errors": 0, "skipped": 1, "flaky": 0}}
# Mocha's and Rust's writers of JUnit XML count a test that was skipped and do not list it.
LISTED = {"tests": {"total": 3, "passed": 2, "failed": 1, "errors": 0, "skipped": 0, "flaky": 0}}

ISTANBUL = (("coverage-final.json", "istanbul-json"), ("lcov.info", "lcov"),
            ("clover.xml", "clover"), ("cobertura-coverage.xml", "cobertura"))
REPORTERS = ("json", "lcovonly", "clover", "cobertura")


def covered(lines, total, taken, branches):
    return {"coverage": {"lines": {"covered": lines, "total": total},
                         "branches": {"covered": taken, "total": branches}, "files": 1}}


# programs/javascript by statements: eight begin on a line of their own, that of `refund` does not
# run; of the two ways of each `if` only that of a customer who is no member is not taken.
STATEMENTS = covered(7, 8, 3, 4)
# V8 tells of ranges: what is in none that did not run is covered, the three lines of `refund` are
# not. It knows what ran as blocks (the file, `price`, the body of each `if`), not what did not.
RANGES = covered(15, 18, 4, 4)
# As a module its last line is an `export`, which is no statement. Vitest leaves that, the empty
# lines and the block of the file out of V8's ranges.
MODULE = covered(6, 7, 3, 4)
MODULE_RANGES = covered(11, 14, 3, 3)


def with_modules(shop, program, for_tool, *packages):
    modules = shop.node(*packages)
    here = shop.program(program, for_tool)
    (here / "node_modules").symlink_to(modules)
    return here, here / "node_modules" / ".bin"


def node(shop):
    run = shop.command("node")
    version = shop.version([run, "--version"])
    here = shop.program("javascript", "node")
    tests = here / "prices.test.js"
    tests.write_text("const { describe, it } = require('node:test');\n" + tests.read_text())
    shop.run([run, "--test", "--test-reporter=junit", "--test-reporter-destination=junit.xml",
              "--test-reporter=tap", "--test-reporter-destination=node.tap"], here, (1,))
    yield Report("node", version, here / "junit.xml", "junit", TESTED)
    yield Report("node", version, here / "node.tap", "tap", TESTED)


def mocha_packages():
    return (f"mocha@{MOCHA}", f"nyc@{NYC}", f"c8@{C8}", f"mocha-junit-reporter@{MOCHA_JUNIT}",
            f"mocha-ctrf-json-reporter@{MOCHA_CTRF}", f"mochawesome@{MOCHAWESOME}")


def mocha(shop):
    here, tools = with_modules(shop, "javascript", "mocha", *mocha_packages())
    run = [tools / "mocha", "prices.test.js", "--reporter"]
    shop.run([*run, "json", "--reporter-option", "output=mocha.json"], here, (1,))
    yield Report("mocha", MOCHA, here / "mocha.json", "mocha-json", TESTED)
    shop.run([*run, "xunit", "--reporter-option", "output=xunit.xml"], here, (1,))
    yield Report("mocha", MOCHA, here / "xunit.xml", "junit", TESTED)
    (here / "mocha.tap").write_text(shop.run([*run, "tap"], here, (1,)))
    yield Report("mocha", MOCHA, here / "mocha.tap", "tap", TESTED)
    shop.run([*run, "mocha-junit-reporter"], here, (1,))
    yield Report("mocha-junit-reporter", MOCHA_JUNIT, here / "test-results.xml", "junit", LISTED)
    shop.run([*run, "mocha-ctrf-json-reporter"], here, (1,))
    yield Report("mocha-ctrf-json-reporter", MOCHA_CTRF, here / "ctrf/ctrf-report.json", "ctrf",
                 TESTED)
    shop.run([*run, "mochawesome", "--reporter-options", "html=false"], here, (1,))
    yield Report("mochawesome", MOCHAWESOME, here / "mochawesome-report/mochawesome.json",
                 "mocha-json", TESTED)


def istanbul(shop, tool, version, truth):
    here, tools = with_modules(shop, "javascript", tool, *mocha_packages())
    shop.run([tools / tool, *[f"--reporter={one}" for one in REPORTERS], "--report-dir=out",
              "-x", "*.test.js", tools / "mocha", "prices.test.js"], here, (1,))
    for file, form in ISTANBUL:
        yield Report(tool, version, here / "out" / file, form, truth)


def nyc(shop):
    yield from istanbul(shop, "nyc", NYC, STATEMENTS)


def c8(shop):
    yield from istanbul(shop, "c8", C8, RANGES)


def jest(shop):
    here, tools = with_modules(shop, "javascript", "jest", f"jest@{JEST}",
                               f"jest-junit@{JEST_JUNIT}",
                               f"jest-ctrf-json-reporter@{JEST_CTRF}")
    shop.run([tools / "jest", "--json", "--outputFile=jest.json", "--reporters=default",
              "--reporters=jest-junit", "--reporters=jest-ctrf-json-reporter", "--coverage",
              *[f"--coverageReporters={one}" for one in REPORTERS]], here, (1,))
    yield Report("jest", JEST, here / "jest.json", "jest-json", TESTED)
    yield Report("jest-junit", JEST_JUNIT, here / "junit.xml", "junit", TESTED)
    yield Report("jest-ctrf-json-reporter", JEST_CTRF, here / "ctrf/ctrf-report.json", "ctrf",
                 TESTED)
    for file, form in ISTANBUL:
        yield Report("jest", JEST, here / "coverage" / file, form, STATEMENTS)


def as_modules(here):
    """Vitest sees only what is imported."""
    program, tests = here / "prices.js", here / "prices.test.js"
    program.write_text(program.read_text().replace("module.exports =", "export"))
    required = re.compile(r"const (.*) = require\((.*)\);")
    tests.write_text(required.sub(r"import \1 from \2;", tests.read_text()))


def vitest(shop):
    here, tools = with_modules(shop, "javascript", "vitest", f"vitest@{VITEST}",
                               f"@vitest/coverage-v8@{VITEST}",
                               f"@vitest/coverage-istanbul@{VITEST}")
    as_modules(here)
    for provider, truth in (("v8", MODULE_RANGES), ("istanbul", MODULE)):
        shop.run([tools / "vitest", "run", "--globals", "--reporter=json", "--reporter=junit",
                  "--reporter=tap", "--outputFile.json=vitest.json", "--outputFile.junit=junit.xml",
                  "--outputFile.tap=vitest.tap", "--coverage.enabled", "--coverage.reportOnFailure",
                  f"--coverage.provider={provider}", f"--coverage.reportsDirectory={provider}",
                  *[f"--coverage.reporter={one}" for one in REPORTERS]], here, (1,))
        for file, form in ISTANBUL:
            named = (here / provider / file).rename(here / f"{provider}-{file}")
            yield Report("vitest", VITEST, named, form, truth)
    yield Report("vitest", VITEST, here / "vitest.json", "jest-json", TESTED)
    yield Report("vitest", VITEST, here / "junit.xml", "junit", TESTED)


def playwright(shop):
    here, tools = with_modules(shop, "playwright", "playwright", f"@playwright/test@{PLAYWRIGHT}")
    shop.run(["cp", shop.program("javascript", "playwright-prices") / "prices.js", here], here)
    # One comes right when it is tried again; one is known to fail, and does: that is a pass.
    truth = {"tests": {"total": 5, "passed": 2, "failed": 1, "errors": 0, "skipped": 1, "flaky": 1}}
    shop.run([tools / "playwright", "test", "--reporter=json,junit"], here, (1,),
             PLAYWRIGHT_JSON_OUTPUT_NAME="playwright.json",
             PLAYWRIGHT_JUNIT_OUTPUT_NAME="junit.xml")
    yield Report("playwright", PLAYWRIGHT, here / "playwright.json", "playwright-json", truth)


def cucumber(shop):
    here, tools = with_modules(shop, "cucumber", "cucumber", f"@cucumber/cucumber@{CUCUMBER}")
    shop.run(["cp", shop.program("javascript", "cucumber-prices") / "prices.js", here], here)
    shop.run([tools / "cucumber-js", "--format", "json:cucumber.json", "--format",
              "junit:cucumber.xml"], here, (1,))
    # Two rows of an outline count apart; a step that nobody wrote fails its scenario.
    truth = {"tests": {"total": 5, "passed": 3, "failed": 2, "errors": 0, "skipped": 0, "flaky": 0}}
    yield Report("cucumber-js", CUCUMBER, here / "cucumber.json", "cucumber-json", truth)
    yield Report("cucumber-js", CUCUMBER, here / "cucumber.xml", "junit", truth)


def eslint(shop):
    here, tools = with_modules(shop, "lint", "eslint", f"eslint@{ESLINT}",
                               f"@microsoft/eslint-formatter-sarif@{ESLINT_SARIF}")
    # programs/lint breaks each of the two rules of its configuration once.
    shop.run([tools / "eslint", "-f", "@microsoft/eslint-formatter-sarif", "-o", "eslint.sarif",
              "shop.js"], here, (1,))
    yield Report("eslint-formatter-sarif", ESLINT_SARIF, here / "eslint.sarif", "sarif", {
        "vulnerabilities": {"total": 2, "groups": 2, "suppressed": 0}})


def npm_audit(shop):
    npm = shop.command("npm")
    version = shop.version([npm, "--version"])
    here = shop.program("javascript", "npm-audit")
    package = {"name": "shop", "version": "1.0.0", "dependencies": {"minimist": "1.2.0"}}
    (here / "package.json").write_text(json.dumps(package))
    shop.run([npm, "install", "--package-lock-only", "--no-audit"], here)
    said = shop.run([npm, "audit", "--json"], here, (0, 1), timeout=120)
    report = json.loads(said)
    file = here / "audit.json"
    if "message" in report:  # what it writes when it cannot ask: a failure, and never a clean scan
        said = re.sub(r"https?://[^/\"]+", "https://packages.example.org", said)
        file.write_text(said)
        message = json.loads(said)["message"]
        yield Report("npm", version, file, "npm-audit", {}, [f"the scanner failed: {message}"])
        raise CannotMake("its advisories are not reachable: only its report of that was read")
    file.write_text(said)
    count = sum(isinstance(via, dict) for one in report["vulnerabilities"].values()
                for via in one["via"])
    yield Report("npm", version, file, "npm-audit", {
        "vulnerabilities": {"total": count, "groups": count, "suppressed": 0}})


TOOLS = {"node": node, "mocha": mocha, "nyc": nyc, "c8": c8, "jest": jest, "vitest": vitest,
         "playwright": playwright, "cucumber": cucumber, "eslint": eslint,
         "npm-audit": npm_audit}
