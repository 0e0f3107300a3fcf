#!/usr/bin/python3
"""json_report.py FORMAT MEGABYTES OUT: a large JSON report of a made-up program, laid out as its
tool lays it out; prints what it holds: covered/all lines, passed/all tests, findings/findings.

json_report.py alone lists the formats. A few hundred different entries, filled from a counter, are
written again and again with numbers of their own: the same arguments give the same bytes.
"""

import json
import sys

MARK = "@@"  # the number of the entry
WORDS = ("the request handler may follow a link that an attacker prepared and so read files which "
         "no user was meant to see when the cache is shared between tenants of one server and "
         "parses headers twice before it checks their length against what was allocated").split()


class Numbers:
    def __init__(self, seed):
        self.state = seed * 2654435761 % 2**32

    def below(self, limit):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 12) % limit

    def words(self, count):
        return " ".join(WORDS[self.below(len(WORDS))] for _ in range(count))

    def prose(self, count):
        """As advisories are written: paragraphs, code, a quote, now and then a letter beyond ASCII."""
        text = self.words(count // 2) + ".\n\n### Impact\n\n`parse_header` and \"" + self.words(4) + "\": "
        return text + self.words(count // 2) + (" \u2019tis so." if self.below(3) == 0 else ".")

    def hex(self, digits):
        return "".join("0123456789abcdef"[self.below(16)] for _ in range(digits))


def advisory(r):
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:" + "HLN"[r.below(3)] + "/I:L/A:H"
    return {"cve": f"CVE-2024-{MARK}", "ghsa": f"GHSA-{r.hex(4)}-{r.hex(4)}-{r.hex(4)}", "vector": vector,
            "score": (40 + r.below(60)) / 10, "package": f"lib{r.words(1)}-{r.below(900)}",
            "version": f"{r.below(9)}.{r.below(30)}.{r.below(9)}", "title": r.words(8).capitalize(),
            "severity": ("low", "medium", "high", "critical")[r.below(4)],
            "references": [f"https://lists.example.org/security/{r.hex(12)}/{n}" for n in range(2 + r.below(8))]}


# ---- coverage: an entry is a file; it returns (lines hit, lines) too ------------------------------
def lines_of(r, count=300):
    number = 0
    for _ in range(count):
        number += 1 + r.below(16) // 11
        yield number, 0 if r.below(8) == 0 else 1 + r.below(400), 2 if r.below(10) == 0 else 0


def coverage(build):
    def one(r):
        lines = list(lines_of(r))
        return build(r, lines), sum(hits > 0 for _, hits, _ in lines), len(lines)
    return one


@coverage
def gcovr(r, lines):
    return {"file": f"src/part{r.below(97)}/m{MARK}.cpp", "lines": [
        {"line_number": n, "function_name": "_ZN4part6handleERKNS_7requestE", "count": hits, "branches": [
            {"branchno": b, "count": hits * b, "fallthrough": b == 0, "throw": False, "source_block_id": 3,
             "destination_block_id": 4 + b} for b in range(branches)], "gcovr/md5": r.hex(32)} for n, hits, branches in lines],
        "functions": []}


@coverage
def llvm_cov(r, lines):
    segments = []
    for n, hits, _ in lines:
        segments += [[n, 5, hits, True, True, False], [n, 60, 0, False, False, False]]
    hit = sum(hits > 0 for _, hits, _ in lines)
    said = {"count": len(lines), "covered": hit, "percent": 100 * hit / len(lines)}
    return {"branches": [[n, 9, n, 22, hits, 0, 0, 0, 4] for n, hits, branches in lines if branches],
            "expansions": [], "filename": f"/srv/build/src/part{r.below(97)}/m{MARK}.cc", "segments": segments,
            "summary": {"lines": said, "functions": said, "regions": said}}


@coverage
def simplecov(r, lines):
    listed = []
    for n, hits, _ in lines:
        listed += [None] * (n - 1 - len(listed)) + [hits]
    return {"lines": listed}


# ---- tests: an entry is a file or a suite of them; it returns how many passed, and how many -------
def tests(count, build):
    def one(r):
        results = [("failed" if r.below(40) == 0 else "passed") for _ in range(count)]
        return build(r, results), sum(result == "passed" for result in results), count
    return one


STACK = "Error: expected 200 to be 404\n    at Context.<anonymous> (test/unit/m.spec.js:43:15)\n    at process (node:internal:95:5)"


def ctrf(r, results):
    one = {"name": f"{r.words(7)} {MARK}", "status": results[0], "duration": r.below(900), "suite": [f"unit {r.words(2)}", r.words(1)],
           "filePath": f"test/part{r.below(97)}/m{r.below(900)}.spec.ts", "start": 1700000000000, "stop": 1700000000100,
           "rawStatus": results[0], "tags": [], "type": "unit", "retries": 0, "flaky": False, "browser": "chromium"}
    return one | ({"message": "expected 200 to be 404", "trace": STACK} if results[0] == "failed" else {})


def mocha(r, results):
    title = f"{r.words(7)} {MARK}"
    return {"title": title, "fullTitle": f"unit {r.words(3)} {title}", "file": f"/srv/build/test/part{r.below(97)}.spec.js",
            "duration": r.below(900), "currentRetry": 0, "speed": "fast", "err": {}}


def jest(r, results):
    return {"assertionResults": [
        {"ancestorTitles": ["unit", f"suite {MARK}"], "duration": r.below(900), "failing": False, "failureDetails": [],
         "failureMessages": [STACK] if result == "failed" else [], "fullName": f"unit suite {MARK} {r.words(6)} {n}", "invocations": 1,
         "location": None, "numPassingAsserts": 1, "retryReasons": [], "status": result, "title": f"{r.words(6)} {n}"}
        for n, result in enumerate(results)], "endTime": 1700000000100, "message": "", "name": f"/srv/build/test/m{MARK}.test.js",
        "startTime": 1700000000000, "status": "passed", "summary": ""}


def playwright(r, results):
    return {"title": f"m{MARK}.spec.ts", "file": f"m{MARK}.spec.ts", "column": 0, "line": 0, "specs": [
        {"title": f"{r.words(7)} {n}", "ok": result == "passed", "tags": [], "tests": [
            {"timeout": 30000, "annotations": [], "expectedStatus": "passed", "projectId": "chromium", "projectName": "chromium",
             "results": [{"workerIndex": 0, "parallelIndex": 0, "status": result, "duration": r.below(9000), "errors": [], "stdout": [],
                          "stderr": [], "retry": 0, "startTime": "2026-05-14T07:04:48.572Z", "annotations": [], "attachments": []}],
             "status": "expected" if result == "passed" else "unexpected"}],
         "id": r.hex(20) + "-" + r.hex(20), "file": f"m{MARK}.spec.ts", "line": 6 + n, "column": 7} for n, result in enumerate(results)]}


def cucumber(r, results):
    return {"description": "", "id": f"feature-{MARK}", "keyword": "Feature", "line": 1, "name": f"Feature {MARK}", "uri": f"features/f{MARK}.feature",
            "elements": [{"description": "", "id": f"feature-{MARK};s{n}", "keyword": "Scenario", "line": 4 + 9 * n, "name": f"{r.words(6)} {n}",
                          "type": "scenario", "tags": [], "steps": [
                              {"arguments": [], "keyword": word, "line": 5 + 9 * n + at, "name": r.words(6), "match": {"location": f"features/support/steps.js:{at}"},
                               "result": {"status": result if at == 2 else "passed", "duration": r.below(900000)}}
                              for at, word in enumerate(("Given ", "When ", "Then "))]} for n, result in enumerate(results)]}


def go_test(r, results):
    package, name = f"example.org/lock/part{r.below(97)}", f"TestHandles{r.words(1).capitalize()}{MARK}"
    at, result = {"Time": "2026-11-22T10:45:00.001234Z"}, "pass" if results[0] == "passed" else "fail"
    of = {"Package": package, "Test": name}
    out = [at | {"Action": "run"} | of, at | {"Action": "output"} | of | {"Output": f"=== RUN   {name}\n"}]
    out += [at | {"Action": "output"} | of | {"Output": f"    lock_test.go:{30 + n}: {r.words(9)}\n"} for n in range(r.below(4))]
    return out + [at | {"Action": "output"} | of | {"Output": f"--- {result.upper()}: {name} (0.00s)\n"}, at | {"Action": result} | of | {"Elapsed": 0}]


# ---- findings: an entry is one -------------------------------------------------------------------
def trivy(r):
    a = advisory(r)
    return {"VulnerabilityID": a["cve"], "PkgID": f"{a['package']}@{a['version']}", "PkgName": a["package"],
            "PkgIdentifier": {"PURL": f"pkg:deb/debian/{a['package']}@{a['version']}?arch=amd64", "UID": r.hex(16)}, "InstalledVersion": a["version"],
            "FixedVersion": "9.9.9", "Status": "fixed", "Layer": {"Digest": "sha256:" + r.hex(64), "DiffID": "sha256:" + r.hex(64)},
            "SeveritySource": "debian", "PrimaryURL": f"https://avd.example.org/nvd/cve-2024-{MARK}",
            "DataSource": {"ID": "debian", "Name": "Debian Security Tracker", "URL": "https://salsa.example.org/security-tracker"},
            "Title": a["title"], "Description": r.prose(70), "Severity": a["severity"].upper(), "CweIDs": ["CWE-190"],
            "VendorSeverity": {"amazon": 3, "nvd": 3, "redhat": 2}, "CVSS": {v: {"V3Vector": a["vector"], "V3Score": a["score"]} for v in ("nvd", "redhat")},
            "References": a["references"], "PublishedDate": "2024-02-28T10:15:09.56Z", "LastModifiedDate": "2024-11-21T09:10:06.2Z"}


def grype(r):
    a = advisory(r)
    known = {"id": a["cve"], "dataSource": f"https://nvd.example.org/vuln/detail/CVE-2024-{MARK}", "namespace": "nvd:cpe", "severity": a["severity"].capitalize(),
             "urls": a["references"], "description": r.prose(60), "cvss": [{"source": "nvd", "type": "Primary", "version": "3.1", "vector": a["vector"],
             "metrics": {"baseScore": a["score"], "exploitabilityScore": 3.9, "impactScore": 3.6}, "vendorMetadata": {}}]}
    return {"vulnerability": known | {"namespace": "debian:distro:debian:12", "fix": {"versions": ["9.9.9"], "state": "fixed"}, "advisories": [], "risk": 0.42},
            "relatedVulnerabilities": [known], "matchDetails": [{"type": "exact-indirect-match", "matcher": "dpkg-matcher",
            "searchedBy": {"distro": {"type": "debian", "version": "12"}, "namespace": "debian:distro:debian:12", "package": {"name": a["package"], "version": a["version"]}},
            "found": {"versionConstraint": "none (deb)", "vulnerabilityID": a["cve"]}}],
            "artifact": {"id": r.hex(16), "name": a["package"], "version": a["version"], "type": "deb", "locations": [{"path": "/var/lib/dpkg/status", "layerID": "sha256:" + r.hex(64)}],
            "language": "", "licenses": ["GPL-2", "LGPL-2.1"], "cpes": [f"cpe:2.3:a:{a['package']}:{a['package']}:{a['version']}:*:*:*:*:*:*:*"] * 2,
            "purl": f"pkg:deb/debian/{a['package']}@{a['version']}?arch=amd64&distro=debian-12", "upstreams": [{"name": a["package"]}]}}


def osv(r):
    a = advisory(r)
    return {"package": {"name": a["package"], "version": a["version"], "ecosystem": "npm"}, "vulnerabilities": [
        {"modified": "2024-02-16T08:21:48Z", "published": "2022-06-21T16:57:10Z", "schema_version": "1.6.0", "id": f"GHSA-{r.hex(4)}-{r.hex(4)}-{r.hex(4)}", "aliases": [a["cve"]],
         "summary": a["title"], "details": r.prose(150), "affected": [{"package": {"ecosystem": "npm", "name": a["package"], "purl": f"pkg:npm/{a['package']}"},
         "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "9.9.9"}]}], "versions": [f"{n}.{k}.0" for n in range(4) for k in range(9)],
         "database_specific": {"source": "https://github.example.org/advisory-database/a.json"}}], "severity": [{"type": "CVSS_V3", "score": a["vector"]}],
         "references": [{"type": "WEB", "url": url} for url in a["references"]], "database_specific": {"cwe_ids": ["CWE-200"], "github_reviewed": True, "severity": "HIGH"}}],
        "groups": [{"ids": [a["cve"]], "aliases": [a["cve"]], "max_severity": str(a["score"])}]}


def npm_audit(r):
    a = advisory(r)
    name = f"{a['package']}-{MARK}"
    return {"name": name, "severity": a["severity"].replace("medium", "moderate"), "isDirect": False, "via": [{"source": 1000000 + r.below(90000), "name": name, "dependency": name,
            "title": a["title"], "url": f"https://github.com/advisories/{a['ghsa']}", "severity": "high", "cwe": ["CWE-20", "CWE-400"],
            "cvss": {"score": a["score"], "vectorString": a["vector"]}, "range": "<2.0.0"}], "effects": [f"app-{n}" for n in range(r.below(6))], "range": "<2.0.0",
            "nodes": [f"node_modules/app-{n}/node_modules/{name}" for n in range(1 + r.below(6))], "fixAvailable": {"name": "app-1", "version": "5.0.0", "isSemVerMajor": True}}


def pip_audit(r):
    a = advisory(r)
    return {"name": a["package"], "version": a["version"], "vulns": [{"id": f"PYSEC-2024-{MARK}", "fix_versions": ["9.9.8", "9.9.9"], "aliases": [a["cve"], a["ghsa"]], "description": r.prose(80)}]}


def snyk(r):
    a = advisory(r)
    return {"id": f"SNYK-DEBIAN12-{MARK}", "title": a["title"], "CVSSv3": a["vector"], "credit": [""], "semver": {"vulnerable": ["<9.9.9"]}, "exploit": "Not Defined", "fixedIn": ["9.9.9"],
            "patches": [], "insights": {"triageAdvice": None}, "language": "linux", "severity": a["severity"], "cvssScore": a["score"], "malicious": False, "isDisputed": False,
            "references": [{"title": url, "url": url} for url in a["references"]], "cvssDetails": [{"assigner": "NVD", "severity": "high", "cvssV3Vector": a["vector"],
            "cvssV3BaseScore": 7.5, "modificationTime": "2024-03-11T09:53:50.153Z"}], "description": r.prose(120), "epssDetails": {"percentile": "0.14414", "probability": "0.00046",
            "modelVersion": "v2025.03.14"}, "identifiers": {"CVE": [a["cve"]], "CWE": ["CWE-20"], "ALTERNATIVE": []}, "nvdSeverity": "medium", "packageName": a["package"],
            "creationTime": "2023-09-14T00:55:43.720861Z", "packageManager": "debian:12", "from": ["docker-image|shop@latest", f"{a['package']}@{a['version']}"], "upgradePath": [],
            "isUpgradable": False, "isPatchable": False, "name": a["package"], "version": a["version"]}


def dependabot(r):
    a = advisory(r)
    package = {"ecosystem": "npm", "name": a["package"]}
    return {"number": 1, "state": "open", "dependency": {"package": package, "manifest_path": "package-lock.json", "scope": "runtime"}, "security_advisory":
            {"ghsa_id": a["ghsa"], "cve_id": a["cve"], "summary": a["title"], "description": r.prose(120), "severity": a["severity"],
             "identifiers": [{"value": a["ghsa"], "type": "GHSA"}, {"value": a["cve"], "type": "CVE"}], "references": [{"url": url} for url in a["references"]],
             "published_at": "2024-05-03T14:02:58Z", "updated_at": "2024-05-03T14:02:58Z", "withdrawn_at": None, "vulnerabilities": [{"package": package, "severity": "high",
             "vulnerable_version_range": "< 9.9.9", "first_patched_version": {"identifier": "9.9.9"}}], "cvss": {"vector_string": a["vector"], "score": a["score"]},
             "epss": {"percentage": 0.0021, "percentile": 0.43}, "cwes": [{"cwe_id": "CWE-400", "name": "Uncontrolled Resource Consumption"}]},
            "security_vulnerability": {"package": package, "severity": "high", "vulnerable_version_range": "< 9.9.9", "first_patched_version": {"identifier": "9.9.9"}},
            "url": f"https://api.github.example/repos/o/r/dependabot/alerts/{MARK}", "created_at": "2024-05-03T14:02:58Z", "dismissed_at": None, "dismissed_reason": None,
            "dismissed_comment": None, "fixed_at": None, "auto_dismissed_at": None}


def sarif(r):
    return {"ruleId": f"py/rule-{r.below(40)}", "ruleIndex": r.below(40), "level": ("warning", "error", "note")[r.below(3)], "message": {"text": r.prose(20)},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": f"src/part{r.below(97)}/m{MARK}.py", "uriBaseId": "%SRCROOT%", "index": r.below(900)},
                           "region": {"startLine": 1 + r.below(900), "startColumn": 5, "endColumn": 40, "snippet": {"text": "    " + r.words(8)}}}}],
            "partialFingerprints": {"primaryLocationLineHash": r.hex(16) + ":1", "primaryLocationStartColumnFingerprint": "0"},
            "codeFlows": [{"threadFlows": [{"locations": [{"location": {"physicalLocation": {"artifactLocation": {"uri": f"src/part{r.below(97)}/m.py", "uriBaseId": "%SRCROOT%"},
                           "region": {"startLine": 1 + r.below(900), "startColumn": 9, "endColumn": 24}}, "message": {"text": "ControlFlowNode for " + r.words(1)}}} for _ in range(r.below(8))]}]}]}


def cyclonedx(r):
    a = advisory(r)
    return {"bom-ref": f"v-{MARK}", "id": a["cve"], "source": {"name": "debian", "url": "https://salsa.example.org/security-tracker"},
            "ratings": [{"source": {"name": name}, "score": a["score"], "severity": a["severity"], "method": "CVSSv31", "vector": a["vector"]} for name in ("nvd", "redhat", "ghsa")],
            "cwes": [190], "description": r.prose(70), "recommendation": "Upgrade to 9.9.9", "advisories": [{"url": url} for url in a["references"]],
            "published": "2024-02-28T10:15:09+00:00", "updated": "2024-11-21T09:10:06+00:00", "affects": [{"ref": f"pkg:deb/debian/lib-{r.below(200)}@1.0", "versions": [{"version": "1.0", "status": "affected"}]}]}


def csaf(r):
    return {"cve": f"CVE-2024-{MARK}", "notes": [{"category": "description", "text": r.prose(60), "title": "Vulnerability description"}],
            "product_status": {"known_not_affected": [f"OS:L-{r.below(200)}" for _ in range(12)], "fixed": [f"OS:L-{r.below(200)}" for _ in range(12)]},
            "flags": [{"label": "vulnerable_code_not_present", "product_ids": [f"OS:L-{r.below(200)}" for _ in range(12)]}],
            "references": [{"category": "external", "summary": f"CVE-2024-{MARK}", "url": f"https://www.cve.example/CVERecord?id=CVE-2024-{MARK}"}],
            "scores": [{"cvss_v3": {"attackComplexity": "LOW", "attackVector": "NETWORK", "baseScore": 7.5, "baseSeverity": "HIGH", "version": "3.1"}, "products": [f"OS:L-{n}" for n in range(12)]}]}


def openvex(r):
    return {"vulnerability": {"@id": f"https://nvd.example/vuln/detail/CVE-2024-{MARK}", "name": f"CVE-2024-{MARK}", "aliases": [f"GHSA-{r.hex(4)}-{r.hex(4)}-{r.hex(4)}"]},
            "timestamp": "2026-03-02T10:00:00+01:00", "products": [{"@id": "pkg:oci/shop@sha256%3Aabc", "identifiers": {"purl": "pkg:oci/shop@sha256%3Aabc"},
            "subcomponents": [{"@id": f"pkg:golang/example.com/acme/mod{n}@v0.{r.below(90)}.0"} for n in range(3)]}], "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path", "impact_statement": r.words(20)}


def kev(r):
    return {"cveID": f"CVE-2024-{MARK}", "vendorProject": r.words(1), "product": r.words(2), "vulnerabilityName": r.words(6), "dateAdded": "2026-01-11", "shortDescription": r.words(45),
            "requiredAction": "Apply mitigations per vendor instructions or discontinue use of the product if mitigations are unavailable.", "dueDate": "2026-02-01",
            "knownRansomwareCampaignUse": "Unknown", "notes": "https://vendor.example/security; https://nvd.example/vuln", "cwes": ["CWE-77"]}


def epss(r):
    return {"cve": f"CVE-2024-{MARK}", "epss": f"0.{r.below(10**9):09}", "percentile": f"0.{r.below(10**9):09}", "date": "2026-03-01"}


# ---- load tests ----------------------------------------------------------------------------------
def figures(r):
    base = 10 + r.below(10**6) / 7919
    return {"avg": base, "min": base / 3, "med": base * 0.9, "max": base * 9.1, "p(90)": base * 2.3, "p(95)": base * 3.7}


def k6(r):
    name = f"http_req_duration{{name:GET /api/part{r.below(97)}/{MARK}}}"
    return {name: figures(r) | {"thresholds": {"p(95)<300": False}}}


def gatling(r):
    def figure(value):
        return {"total": value, "ok": value, "ko": 0}
    name = f"GET /api/part{r.below(97)}/{MARK}"
    times = sorted(1 + r.below(3000) for _ in range(7))
    names = ("minResponseTime", "meanResponseTime", "percentiles1", "percentiles2", "percentiles3", "percentiles4", "maxResponseTime")
    return {"type": "REQUEST", "name": name, "path": name, "pathFormatted": f"req_{MARK}", "stats": {"name": name, "numberOfRequests": figure(30)} |
            {key: figure(value) for key, value in zip(names, times)} | {"standardDeviation": figure(3)} |
            {f"group{n}": {"name": "t < 800 ms", "htmlName": "t &lt; 800 ms", "count": 7, "percentage": 25} for n in (1, 2, 3, 4)} |
            {"meanNumberOfRequestsPerSecond": {"total": 0.5235602094240838, "ok": 0.5235602094240838, "ko": 0}}}


def lighthouse(r):
    return {"url": f"https://app.example/static/{r.hex(12)}.js?n={MARK}", "sessionTargetType": "page", "protocol": "h2", "rendererStartTime": r.below(10**9) / 997,
            "networkRequestTime": r.below(10**9) / 997, "networkEndTime": r.below(10**9) / 997, "finished": True, "transferSize": r.below(10**6), "resourceSize": r.below(10**6),
            "statusCode": 200, "mimeType": "application/javascript", "resourceType": "Script", "priority": "Low", "experimentalFromMainFrame": True, "entity": "app.example"}


def lists(head, foot, *, indent=None, pad=0, keyed=False):
    """Between these two, entries; `keyed`: as members of a map, by what they have under this key."""
    return {"head": head, "foot": foot, "indent": indent, "pad": pad, "keyed": keyed, "between": ",\n" if indent else ", "}


def single(build):
    return lambda r: (build(r), 1, 1)


CSAF_TREE = ", ".join(f'{{"name": "lib{n}", "product_id": "L-{n}", "product_identification_helper": {{"purl": "pkg:rpm/acme/lib{n}@1.2-3?arch=src"}}}}, '
                      f'{{"name": "lib{n} in OS", "product_id": "OS:L-{n}", "product_identification_helper": {{"purl": "pkg:rpm/acme/lib{n}@1.2-3"}}}}' for n in range(200))
RULES = json.dumps([{"id": f"py/rule-{n}", "name": f"py/rule-{n}", "defaultConfiguration": {"level": "warning"}, "properties": {"tags": ["security"], "security-severity": "7.5"}} for n in range(40)])

GO_PACKAGES = "".join(f'{{"Time":"2026-11-22T10:45:09Z","Action":"pass","Package":"example.org/lock/part{n}","Elapsed":1}}\n' for n in range(97))

# Of each format: what makes an entry, and what stands around the entries. `@A@` and `@P@` in the foot
# are how many there are and how many of them passed, @F@ how many did not, @R@ thirty for each.
FORMATS = {
    "gcovr": (gcovr, lists('{"gcovr/format_version": "0.11", "files": [', "]}")),
    "llvm_cov": (llvm_cov, lists('{"data":[{"files":[', ']}],"type":"llvm.coverage.json.export","version":"2.0.1"}')),
    "simplecov": (simplecov, lists('{\n  "RSpec": {\n    "coverage": {\n', '\n    },\n    "timestamp": 1700000000\n  }\n}\n', indent=2, pad=6, keyed="/srv/build/app/m@@.rb")),
    "ctrf": (tests(1, ctrf), lists('{\n  "reportFormat": "CTRF",\n  "specVersion": "0.0.0",\n  "results": {\n    "tool": {"name": "jest"},\n    "tests": [\n',
                                   '\n    ],\n    "summary": {"tests": @A@, "passed": @P@, "failed": @F@, "pending": 0, "skipped": 0, "other": 0, "start": 1, "stop": 2}\n  }\n}\n', indent=2, pad=6)),
    "mocha": (lambda r: (mocha(r, None), 1, 1), lists('{\n  "stats": {"suites": 3, "tests": 0, "passes": @A@, "pending": 0, "failures": 0},\n  "tests": [],\n  "pending": [],\n  "failures": [],\n  "passes": [\n', "\n  ]\n}\n", indent=2, pad=4)),
    "jest": (tests(25, jest), lists('{"numFailedTestSuites":0,"numTotalTests":@A@,"openHandles":[],"startTime":1700000000000,"testResults":[', '],"wasInterrupted":false}')),
    "playwright": (tests(25, playwright), lists('{\n  "config": {"rootDir": "/srv/build", "version": "1.59.1", "projects": []},\n  "suites": [\n',
                                                '\n  ],\n  "errors": [],\n  "stats": {"expected": @P@, "skipped": 0, "unexpected": @F@, "flaky": 0}\n}\n', indent=2, pad=4)),
    "cucumber": (tests(15, cucumber), lists("[\n", "\n]\n", indent=2, pad=2)),
    "go_test": (tests(1, go_test), lists("", "\n" + GO_PACKAGES) | {"between": "\n", "lines": True}),
    "trivy": (single(trivy), lists('{\n  "SchemaVersion": 2,\n  "ArtifactName": "shop:1",\n  "ArtifactType": "container_image",\n  "Results": [\n    {\n      "Target": "shop:1 (debian 12)",\n      "Class": "os-pkgs",\n      "Type": "debian",\n      "Vulnerabilities": [\n', "\n      ]\n    }\n  ]\n}\n", indent=2, pad=8)),
    "grype": (single(grype), lists('{\n "matches": [\n', '\n ],\n "source": {"type": "image", "target": {"userInput": "shop:1"}},\n "descriptor": {"name": "grype", "version": "0.90.0"}\n}\n', indent=1, pad=2)),
    "osv": (single(osv), lists('{\n  "results": [\n    {\n      "source": {"path": "/srv/package-lock.json", "type": "lockfile"},\n      "packages": [\n', "\n      ]\n    }\n  ]\n}\n", indent=2, pad=8)),
    "npm_audit": (single(npm_audit), lists('{\n  "auditReportVersion": 2,\n  "vulnerabilities": {\n', '\n  },\n  "metadata": {"vulnerabilities": {"total": @A@}, "dependencies": {"prod": 9, "total": @A@}}\n}\n', indent=2, pad=4, keyed="name")),
    "pip_audit": (single(pip_audit), lists('{"dependencies": [', '], "fixes": []}\n')),
    "snyk": (single(snyk), lists('{\n  "vulnerabilities": [\n', '\n  ],\n  "ok": false,\n  "dependencyCount": 900,\n  "packageManager": "deb",\n  "uniqueCount": @A@,\n  "projectName": "shop"\n}\n', indent=2, pad=4)),
    "dependabot": (single(dependabot), lists("[", "]") | {"between": ","}),
    "sarif": (single(sarif), lists('{\n  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",\n  "version": "2.1.0",\n  "runs": [\n    {\n      "tool": {"driver": {"name": "CodeQL", "semanticVersion": "2.17.0", "rules": ' + RULES + '}},\n      "results": [\n', "\n      ]\n    }\n  ]\n}\n", indent=2, pad=8)),
    "cyclonedx": (single(cyclonedx), lists('{\n  "bomFormat": "CycloneDX",\n  "specVersion": "1.5",\n  "version": 1,\n  "metadata": {"timestamp": "2024-01-04T15:25:30+00:00"},\n  "components": [' + ", ".join(f'{{"bom-ref": "pkg:deb/debian/lib-{n}@1.0", "type": "library", "name": "lib-{n}", "version": "1.0", "purl": "pkg:deb/debian/lib-{n}@1.0"}}' for n in range(200)) + '],\n  "vulnerabilities": [\n', "\n  ]\n}\n", indent=2, pad=4)),
    "csaf": (lambda r: (csaf(r), 2, 2), lists('{\n  "document": {"category": "csaf_vex", "csaf_version": "2.0", "tracking": {"current_release_date": "2026-03-01T10:00:00Z"}},\n  "product_tree": {"full_product_names": [' + CSAF_TREE + ']},\n  "vulnerabilities": [\n', "\n  ]\n}\n", indent=2, pad=4)),
    "openvex": (single(openvex), lists('{\n  "@context": "https://openvex.dev/ns/v0.2.0",\n  "@id": "https://vex.example/2026-1",\n  "timestamp": "2026-03-01T10:00:00Z",\n  "statements": [\n', "\n  ]\n}\n", indent=2, pad=4)),
    "kev": (single(kev), lists('{\n    "title": "CISA Catalog of Known Exploited Vulnerabilities",\n    "catalogVersion": "2026.03.01",\n    "vulnerabilities": [\n', "\n    ]\n}\n", indent=4, pad=8)),
    "epss": (single(epss), lists('{"status":"OK","status-code":200,"version":"1.0","data":[', "]}") | {"between": ","}),
    "k6": (single(k6), lists('{\n    "root_group": {"name": "", "path": "", "id": "d41d8cd98f00b204e9800998ecf8427e", "groups": {}, "checks": {}},\n    "metrics": {\n        "http_reqs": {"count": 100, "rate": 10},\n', "\n    }\n}\n", indent=4, pad=8, keyed="")),
    "gatling": (single(gatling), lists('{"type": "GROUP", "name": "All Requests", "path": "", "pathFormatted": "group_missing-name", "stats": {"name": "All Requests", "numberOfRequests": {"total": @R@, "ok": @R@, "ko": 0}}, "contents": {\n', "\n}}\n", indent=2, pad=4, keyed="pathFormatted") | {"more": 1}),  # the row of all requests
    "lighthouse": (lambda r: (lighthouse(r), 0, 0), lists('{\n  "lighthouseVersion": "12.2.1",\n  "requestedUrl": "https://app.example/",\n  "finalDisplayedUrl": "https://app.example/",\n  "audits": {\n    "first-contentful-paint": {"id": "first-contentful-paint", "title": "First", "score": 0.98, "scoreDisplayMode": "numeric", "numericValue": 1204.5, "numericUnit": "millisecond"},\n    "network-requests": {\n      "id": "network-requests",\n      "title": "Network Requests",\n      "score": 1,\n      "scoreDisplayMode": "informative",\n      "details": {\n        "type": "table",\n        "items": [\n', "\n        ]\n      }\n    }\n  },\n  \"categories\": {\"performance\": {\"id\": \"performance\", \"score\": 0.9}}\n}\n", indent=2, pad=10) | {"more": 1}),  # one audit is a time
}


def dumped(entry, layout):
    """An entry as text, laid out as the tool does it."""
    if layout.get("lines"):
        return "\n".join(json.dumps(one, separators=(",", ":")) for one in entry)
    pair = (",", ":") if layout["between"] == "," or "\n" not in layout["head"] and '":[' in layout["head"] else (", ", ": ")
    if layout["indent"]:
        pair = (",", ": ")
    margin, key = " " * layout["pad"], layout["keyed"]
    if key == "":
        (key, entry), = entry.items()
    elif key and key in entry:
        key = entry[key]
    text = json.dumps(entry, indent=layout["indent"], separators=pair, ensure_ascii=layout["indent"] == 4)
    if key:
        text = f"{json.dumps(key)}: {text}"
    return margin + text.replace("\n", "\n" + margin) if layout["indent"] else text


def filled(text, passed, count):
    """With the figures, which are as long whatever they are: the head is written twice."""
    for name, figure in (("@A@", count), ("@P@", passed), ("@F@", count - passed), ("@R@", 30 * count)):
        text = text.replace(name, str(figure).ljust(12))
    return text


def write(out, kind, size):
    build, layout = FORMATS[kind]
    entries = [build(Numbers(seed)) for seed in range(1, 241)]
    texts = [(dumped(entry, layout), passed, count) for entry, passed, count in entries]
    out.write(filled(layout["head"], 0, 0))
    number = passed = count = 0
    while out.tell() < size:
        text, one_passed, one_count = texts[number % len(texts)]
        out.write((layout["between"] if number else "") + text.replace(MARK, str(10000 + number)))
        number, passed, count = number + 1, passed + one_passed, count + one_count
    out.write(filled(layout["foot"], passed, count))
    out.seek(0)
    out.write(filled(layout["head"], passed, count))
    more = layout.get("more", 0)
    return passed + more, count + more


def main():
    if len(sys.argv) != 4:
        print("\n".join(FORMATS))
        return
    with open(sys.argv[3], "w", encoding="utf-8", buffering=1 << 20) as out:
        print("/".join(map(str, write(out, sys.argv[1], int(float(sys.argv[2]) * 1_000_000)))))


if __name__ == "__main__":
    main()
