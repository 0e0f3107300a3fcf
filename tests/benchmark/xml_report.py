"""Large reports in XML as their tools write them: tests, load tests, bills of materials.

Tests stand in classes of 20 to 60, one in a hundred fails with a message and a trace, one in fifty
is skipped. Totals are of tests that passed and all tests, of requests without and with failures, or
of findings.
"""

TRACE = "".join(f"   at org.shop.orders.Step{n}.run(Step{n}.java:{40 + n})\n" for n in range(12))
VERBS = ("accepts", "refuses", "keeps", "sends", "counts", "rounds", "shows", "forgets")
NOUNS = ("an_order", "the_basket", "a_voucher", "the_price", "an_address", "a_refund", "the_stock")
WHENS = ("twice", "at_midnight", "without_a_name", "for_a_guest", "after_a_retry", "in_another_currency")


class Test:
    def __init__(self, group, number, state):
        self.number, self.ms = number, state >> 12 & 1023
        self.name = f"{VERBS[state >> 8 & 7]}_{NOUNS[(state >> 16) % 7]}_{WHENS[(state >> 20) % 6]}_{number}"
        self.class_name = f"org.shop.part{group % 97}.Order{group}Test"
        self.outcome = "failed" if state >> 9 & 127 == 0 else "skipped" if state >> 10 & 63 == 1 else "passed"
        self.message = f"expected {number} but was {number + 1} in <{self.name}>"

    def seconds(self):
        return f"{self.ms / 1000:.3f}"


def classes(out, size, totals):
    """Lists of tests until the report is large enough."""
    group, state = 0, 1
    while out.tell() < size:
        group += 1
        tests = []
        for number in range(20 + group * 7 % 41):
            state = (state * 1664525 + 1013904223) % 2**32
            tests.append(Test(group, number, state))
        totals["lines"] += len(tests)
        totals["hit"] += count(tests, "passed")
        yield group, tests


def count(tests, outcome):
    return sum(one.outcome == outcome for one in tests)


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def junit(out, size, totals):
    """As surefire writes it."""
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n')
    for group, tests in classes(out, size, totals):
        name = tests[0].class_name
        out.write(f'  <testsuite name="{name}" time="{sum(one.ms for one in tests) / 1000:.3f}" tests="{len(tests)}" '
                  f'errors="0" skipped="{count(tests, "skipped")}" failures="{count(tests, "failed")}">\n    <properties>\n')
        for key in ("java.version", "os.name", "user.dir", "file.encoding", "surefire.real.class.path"):
            out.write(f'      <property name="{key}" value="the value of {key} in build {group}"/>\n')
        out.write("    </properties>\n")
        for one in tests:
            out.write(f'    <testcase name="{one.name}" classname="{name}" time="{one.seconds()}"')
            if one.outcome == "passed":
                out.write("/>\n")
            elif one.outcome == "skipped":
                out.write('>\n      <skipped message="not on this platform"/>\n    </testcase>\n')
            else:
                out.write(f'>\n      <failure message="{escaped(one.message)}" type="org.opentest4j.AssertionFailedError">'
                          f'<![CDATA[{one.message}\n{TRACE}]]></failure>\n    </testcase>\n')
        if group % 4 == 0:
            out.write("    <system-out><![CDATA[")
            out.writelines(f"12:00:0{n % 10}.{group % 1000:03} INFO  order {group} in step {n} is well & done\n" for n in range(20))
            out.write("]]></system-out>\n")
        out.write("  </testsuite>\n")
    out.write("</testsuites>\n")


def junit_bare(out, size, totals):
    """Nothing but tests, all of which pass, in small tags: the most work for each byte."""
    out.write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n')
    for group, tests in classes(out, size, totals):
        totals["hit"] += len(tests) - count(tests, "passed")
        out.write(f'<testsuite name="suite{group}" tests="{len(tests)}" failures="0" errors="0" skipped="0">\n')
        for one in tests:
            out.write(f'<testcase classname="part{group % 97}.test_m{group}" name="test_what_{one.number}" time="{one.seconds()}"/>\n')
        out.write("</testsuite>\n")
    out.write("</testsuites>\n")


def nunit(out, size, totals):
    """As the console of NUnit 3 writes it. Its root cannot say totals before they are known."""
    words = {"passed": "Passed", "failed": "Failed", "skipped": "Skipped"}
    out.write('<?xml version="1.0" encoding="utf-8" standalone="no"?>\n<test-run id="2" testcasecount="0" engine-version="3.16.3.0">\n'
              '  <test-suite type="Assembly" id="0-1" name="shop.dll" fullname="C:\\w\\bin\\net8.0\\shop.dll">\n')
    for group, tests in classes(out, size, totals):
        name = tests[0].class_name
        result = "Failed" if count(tests, "failed") else "Passed"
        out.write(f'    <test-suite type="TestFixture" id="0-{group}" name="Order{group}Test" fullname="{name}" classname="{name}" runstate="Runnable" '
                  f'testcasecount="{len(tests)}" result="{result}" total="{len(tests)}" asserts="{len(tests)}">\n')
        for one in tests:
            out.write(f'      <test-case id="0-{group}{one.number:02}" name="{one.name}" fullname="{name}.{one.name}" methodname="{one.name}" '
                      f'classname="{name}" runstate="Runnable" seed="{group * 7919 + one.number}" result="{words[one.outcome]}" '
                      f'start-time="2026-11-22 12:00:00Z" end-time="2026-11-22 12:00:01Z" duration="{one.seconds()}" asserts="1"')
            if one.outcome == "passed":
                out.write(" />\n")
            elif one.outcome == "skipped":
                out.write('>\n        <reason>\n          <message><![CDATA[not on this platform]]></message>\n        </reason>\n      </test-case>\n')
            else:
                out.write(f'>\n        <failure>\n          <message><![CDATA[{one.message}]]></message>\n          <stack-trace><![CDATA[{TRACE}]]></stack-trace>\n'
                          '        </failure>\n      </test-case>\n')
        out.write("    </test-suite>\n")
    out.write("  </test-suite>\n</test-run>\n")


def xunit(out, size, totals):
    """As the console of xUnit.net 2 writes it."""
    words = {"passed": "Pass", "failed": "Fail", "skipped": "Skip"}
    out.write('<?xml version="1.0" encoding="utf-8"?>\n<assemblies timestamp="11/22/2026 12:00:00">\n'
              '  <assembly name="C:\\w\\bin\\net8.0\\shop.dll" run-date="2026-11-22" run-time="12:00:00" test-framework="xUnit.net 2.9.2">\n')
    for group, tests in classes(out, size, totals):
        name = tests[0].class_name
        out.write(f'    <collection name="Test collection for {name}" time="0.100" total="{len(tests)}" passed="{count(tests, "passed")}" '
                  f'failed="{count(tests, "failed")}" skipped="{count(tests, "skipped")}">\n')
        for one in tests:
            out.write(f'      <test name="{name}.{one.name}" type="{name}" method="{one.name}" time="{one.seconds()}" result="{words[one.outcome]}"')
            if one.outcome == "passed":
                out.write(" />\n")
            elif one.outcome == "skipped":
                out.write('>\n        <reason><![CDATA[not on this platform]]></reason>\n      </test>\n')
            else:
                out.write(f'>\n        <failure exception-type="Xunit.Sdk.EqualException">\n          <message><![CDATA[{one.message}]]></message>\n'
                          f'          <stack-trace><![CDATA[{TRACE}]]></stack-trace>\n        </failure>\n      </test>\n')
        out.write("    </collection>\n")
    out.write("  </assembly>\n</assemblies>\n")


def testng(out, size, totals):
    words = {"passed": "PASS", "failed": "FAIL", "skipped": "SKIP"}
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<testng-results>\n  <suite name="all" duration-ms="1000">\n    <test name="shop" duration-ms="1000">\n')
    for group, tests in classes(out, size, totals):
        name = tests[0].class_name
        out.write(f'      <class name="{name}">\n')
        for one in tests:
            out.write(f'        <test-method status="{words[one.outcome]}" signature="{one.name}()[pri:0, instance:{name}@{group * 7919:x}]" name="{one.name}" '
                      f'duration-ms="{one.ms}" started-at="2026-11-22T12:00:00 UTC" finished-at="2026-11-22T12:00:01 UTC">\n')
            if one.outcome == "failed":
                out.write(f'          <exception class="java.lang.AssertionError">\n            <message>\n              <![CDATA[{one.message}]]>\n            </message>\n'
                          f'            <full-stacktrace>\n              <![CDATA[{TRACE}]]>\n            </full-stacktrace>\n          </exception>\n')
            out.write("          <reporter-output>\n          </reporter-output>\n        </test-method>\n")
        out.write("      </class>\n")
    out.write("    </test>\n  </suite>\n</testng-results>\n")


def trx(out, size, totals):
    """As VSTest writes it: first all results, then in which class each one is."""
    words = {"passed": "Passed", "failed": "Failed", "skipped": "NotExecuted"}
    ids = []
    out.write('<?xml version="1.0" encoding="utf-8"?>\n<TestRun id="00000000-0000-4000-8000-000000000000" name="run" '
              'xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">\n  <Results>\n')
    for group, tests in classes(out, size * 56 // 100, totals):
        for one in tests:
            test = f"{group:08x}-{one.number:04x}-4000-8000-{group * 7919:012x}"
            ids.append((test, one))
            out.write(f'    <UnitTestResult executionId="{test[::-1]}" testId="{test}" testName="{one.class_name}.{one.name}" computerName="BUILD-7" '
                      f'duration="00:00:0{one.ms // 1000}.{one.ms % 1000:03}0000" startTime="2026-11-22T12:00:00.0000000+00:00" endTime="2026-11-22T12:00:01.0000000+00:00" '
                      f'testType="13cdc9d9-ddb5-4fa4-a97d-d965ccfc6d4b" outcome="{words[one.outcome]}" testListId="8c84fa94-04c1-424b-9868-57a2d4851a1d"')
            if one.outcome != "failed":
                out.write(" />\n")
            else:
                out.write(f'>\n      <Output>\n        <ErrorInfo>\n          <Message>{escaped(one.message)}</Message>\n          <StackTrace>{TRACE}</StackTrace>\n'
                          '        </ErrorInfo>\n      </Output>\n    </UnitTestResult>\n')
    out.write("  </Results>\n  <TestDefinitions>\n")
    for test, one in ids:
        out.write(f'    <UnitTest name="{one.class_name}.{one.name}" storage="c:\\w\\bin\\net8.0\\shop.dll" id="{test}">\n      <Execution id="{test[::-1]}" />\n'
                  f'      <TestMethod codeBase="C:\\w\\bin\\net8.0\\shop.dll" adapterTypeName="executor://xunit/VsTestRunner2/netcoreapp" className="{one.class_name}" name="{one.name}" />\n    </UnitTest>\n')
    out.write('  </TestDefinitions>\n  <ResultSummary outcome="Completed">\n  </ResultSummary>\n</TestRun>\n')


def cyclonedx(out, size, totals):
    """A bill of materials with as many findings as a scanner that knows nothing of fixes would list."""
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.5" serialNumber="urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79" version="1">\n'
              '  <metadata>\n    <timestamp>2026-11-22T12:00:00Z</timestamp>\n    <tools>\n      <tool>\n        <name>scanner</name>\n        <version>1.0</version>\n      </tool>\n    </tools>\n  </metadata>\n  <components>\n')
    number, half = 0, size // 2
    while out.tell() < half:
        number += 1
        purl = f"pkg:npm/package-{number}@{number % 9}.{number % 31}.1"
        out.write(f'    <component type="library" bom-ref="{purl}">\n      <name>package-{number}</name>\n      <version>{number % 9}.{number % 31}.1</version>\n'
                  f'      <hashes>\n        <hash alg="SHA-256">{number:064x}</hash>\n      </hashes>\n      <licenses>\n        <license>\n          <id>MIT</id>\n        </license>\n      </licenses>\n'
                  f'      <purl>{purl}</purl>\n    </component>\n')
    out.write("  </components>\n  <vulnerabilities>\n")
    found = 0
    while out.tell() < size:
        found += 1
        one = 1 + found * 7919 % number
        score = found * 37 % 101 / 10
        severity = "critical" if score >= 9 else "high" if score >= 7 else "medium" if score >= 4 else "low"
        out.write(f'    <vulnerability>\n      <id>CVE-2026-{100000 + found}</id>\n      <source>\n        <name>NVD</name>\n      </source>\n      <ratings>\n        <rating>\n          <score>{score}</score>\n'
                  f'          <severity>{severity}</severity>\n          <method>CVSSv31</method>\n          <vector>AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H</vector>\n        </rating>\n      </ratings>\n'
                  f'      <description>Package {one} does not look at what it is given &amp; may do what it was told by others, over the network and without a password.</description>\n'
                  f'      <affects>\n        <target>\n          <ref>pkg:npm/package-{one}@{one % 9}.{one % 31}.1</ref>\n        </target>\n      </affects>\n    </vulnerability>\n')
    out.write("  </vulnerabilities>\n</bom>\n")
    totals["hit"] = totals["lines"] = found


def jmeter_xml(out, size, totals):
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n')
    state, moment = 1, 1700000000000
    while out.tell() < size:
        state = (state * 1664525 + 1013904223) % 2**32
        moment += state >> 28
        failed = state >> 16 & 127 == 0
        totals["lines"] += 1
        totals["hit"] += not failed
        out.write(f'<httpSample t="{20 + (state >> 20 & 511)}" it="0" lt="{15 + (state >> 20 & 255)}" ct="1" ts="{moment}" s="{"false" if failed else "true"}" lb="GET /api/part{state >> 8 & 63}" '
                  f'rc="{500 if failed else 200}" rm="{"Internal Server Error" if failed else "OK"}" tn="Users 1-{state >> 12 & 31}" dt="text" by="{1000 + (state >> 24)}" sby="180" ng="32" na="32"/>\n')
    out.write("</testResults>\n")


def opencover(out, size, totals):
    out.write('<?xml version="1.0" encoding="utf-8"?>\n<CoverageSession>\n  <Modules>\n    <Module hash="00">\n      <ModulePath>C:\\w\\shop.dll</ModulePath>\n      <ModuleName>shop</ModuleName>\n      <Files>\n')
    file, per_file = 0, 480
    files = max(1, size // 75000)
    for file in range(1, files + 1):
        out.write(f'        <File uid="{file}" fullPath="C:\\w\\src\\M{file}.cs" />\n')
    out.write("      </Files>\n      <Classes>\n")
    state = 1
    for file in range(1, files + 1):
        out.write(f'        <Class>\n          <FullName>Shop.M{file}</FullName>\n          <Methods>\n            <Method visited="true">\n              <Name>System.Void Shop.M{file}::Run()</Name>\n              <FileRef uid="{file}" />\n              <SequencePoints>\n')
        for line in range(1, per_file + 1):
            state = (state * 1664525 + 1013904223) % 2**32
            hits = 0 if state >> 20 & 7 == 0 else state >> 12 & 255
            totals["lines"] += 1
            totals["hit"] += hits > 0
            out.write(f'                <SequencePoint vc="{hits}" uspid="{file * per_file + line}" ordinal="{line}" offset="{line * 6}" sl="{line}" sc="13" el="{line}" ec="50" bec="0" bev="0" fileid="{file}" />\n')
        out.write("              </SequencePoints>\n              <BranchPoints />\n            </Method>\n          </Methods>\n        </Class>\n")
    out.write("      </Classes>\n    </Module>\n  </Modules>\n</CoverageSession>\n")


WRITERS = {"junit": junit, "junit-bare": junit_bare, "nunit": nunit, "xunit": xunit, "testng": testng,
           "trx": trx, "cyclonedx": cyclonedx, "jmeter-xml": jmeter_xml, "opencover": opencover}
