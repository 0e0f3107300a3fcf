"""Surefire's JUnit XML, JaCoCo's and TestNG's XML, through Maven.

The versions are those that programs/java/pom.xml names."""
import re

from workshop import PROGRAMS, CannotMake, Report


TESTNG = "7.10.2"


def maven(shop, here, *goals):
    """Runs Maven with a repository of its own."""
    run = shop.command("mvn")
    repository = f"-Dmaven.repo.local={shop.root / 'maven'}"
    try:
        shop.run([run, "-q", "-B", "-ntp", repository, *goals], here)
    except RuntimeError as error:
        if "resolv" in str(error) or "transfer" in str(error):
            raise CannotMake("Maven cannot fetch what it needs") from error
        raise


def surefire_and_jacoco(shop):
    here = shop.program("java", "maven")
    maven(shop, here, "test")
    versions = dict(re.findall(r"<artifactId>(\S+)</artifactId>\s*<version>(\S+)</version>",
                               (here / "pom.xml").read_text()))
    yield Report("surefire", versions["maven-surefire-plugin"],
                 here / "target/surefire-reports/TEST-shop.PricesTest.xml", "junit", {"tests": {
                     "total": 5, "passed": 2, "failed": 1, "errors": 1, "skipped": 1, "flaky": 0}})
    # Eight lines: the class (its constructor never runs), six of `price`, and that of `refund`.
    yield Report("jacoco", versions["jacoco-maven-plugin"], here / "target/site/jacoco/jacoco.xml",
                 "jacoco", {"coverage": {"lines": {"covered": 6, "total": 8},
                                         "branches": {"covered": 3, "total": 4}, "files": 1}})


def testng(shop):
    here = shop.program("java-testng", "testng")
    shop.run(["cp", "-r", PROGRAMS / "java/src/main", here / "src"], here)
    pom = (PROGRAMS / "java/pom.xml").read_text()
    pom = pom.replace("org.junit.jupiter<", "org.testng<").replace(">junit-jupiter<", ">testng<")
    (here / "pom.xml").write_text(re.sub(r"(>testng</artifactId>\s*<version>)[^<]+",
                                         rf"\g<1>{TESTNG}", pom))
    maven(shop, here, "test")
    yield Report("testng", TESTNG, here / "target/surefire-reports/testng-results.xml", "testng", {
        "tests": {"total": 5, "passed": 3, "failed": 1, "errors": 0, "skipped": 1, "flaky": 0}})


TOOLS = {"surefire-jacoco": surefire_and_jacoco, "testng": testng}
