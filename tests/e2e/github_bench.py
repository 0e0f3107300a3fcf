"""GitHub in a process of its own (tests/bench/github), and what is needed to ask it.

Its packages are installed once, by name and version, into build/github-bench.
"""

import contextlib
import fcntl
import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from conftest import ROOT, end

BENCH = ROOT / "tests/bench/github"
PLACE = ROOT / "build/github-bench"
DESCRIPTIONS = PLACE / "node_modules/@octokit/openapi/generated"
NODE = shutil.which("node", path="/usr/bin:/usr/local/bin")
REPOSITORY = "bench/app"
TOKEN = "ghs_bench"
OF_A_RUN = "ghs_run"
ENTERPRISE = "3.19"
KEPT = ("api.github.com.json", f"ghes-{ENTERPRISE}.json")
EVERYTHING = {
    name: "write" for name in (
        "actions", "checks", "contents", "deployments", "issues", "pull-requests", "statuses",
    )
}


def installed():
    """The folder with GitHub's description and its clients; skips where they cannot be had."""
    packages = (BENCH / "packages").read_text()
    PLACE.mkdir(parents=True, exist_ok=True)
    stamp = PLACE / "installed"
    with open(PLACE.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != packages:
            install(packages.split())
            stamp.write_text(packages)
    return PLACE


def install(packages):
    npm = shutil.which("npm", path="/usr/bin:/usr/local/bin")
    if not npm or not NODE:
        pytest.skip("node and npm are not installed")
    shutil.rmtree(PLACE / "node_modules", ignore_errors=True)
    (PLACE / "package.json").write_text("{}")
    done = subprocess.run(
        [npm, "install", "--prefix", PLACE, "--no-audit", "--no-fund", "--no-package-lock",
         "--ignore-scripts", "--loglevel=error", *packages],
        cwd=PLACE, capture_output=True, text=True,
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        pytest.skip(f"{' '.join(packages)} cannot be installed: {' '.join(last)}")
    for path in DESCRIPTIONS.iterdir():  # several hundred megabytes that nobody asks for
        if path.name.endswith(".json") and path.name not in KEPT:
            path.unlink()


class Refusal(Exception):
    def __init__(self, status, body, headers):
        super().__init__(f"{status}: {body}")
        self.status, self.body, self.headers = status, body, headers


class Answer:
    def __init__(self, status, tree, headers):
        self.status, self.tree, self.headers = status, tree, headers


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class GithubBench:
    def __init__(self, log, enterprise=None):
        installed()
        name = f"ghes-{enterprise}" if enterprise else "api.github.com"
        version = [f"{enterprise}.0"] if enterprise else []
        self.log = open(log, "w")
        self.child = subprocess.Popen(
            [sys.executable, BENCH / "server.py", DESCRIPTIONS / f"{name}.json", *version],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        told = self.child.stdout.readline()
        if not told:
            end(self.child)
            raise AssertionError(f"the bench does not start: {Path(log).read_text()[-2000:]}")
        self.url = f"http://127.0.0.1:{json.loads(told)['port']}"
        self.api_url = self.url + ("/api/v3" if enterprise else "")
        self.opener = urllib.request.build_opener(NoRedirect)

    # ---- the bench itself ------------------------------------------------------------------------

    def ask(self, name, words=None):
        body = None if words is None else json.dumps(words).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/_bench/{name}", body, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as why:
            raise AssertionError(f"{name}: {why.read().decode()}") from None

    def control(self, **words):
        return self.ask("control", words)

    def begin(self, permissions=None, **repository):
        """One repository afresh, and a workflow token, with every right unless told otherwise."""
        self.control(
            reset=True, repositories={REPOSITORY: repository},
            tokens={TOKEN: {"permissions": EVERYTHING if permissions is None else permissions}},
        )

    def token_of_a_run(self, permissions):
        """The token that a run gets, with these rights and no others."""
        self.control(tokens={OF_A_RUN: {"permissions": permissions}})
        return OF_A_RUN

    def fault(self, operation, *faults):
        self.control(faults={operation: list(faults)})

    def act(self, login, what, **words):
        """As a person; what came of it."""
        act = {"as": login, "do": what, "in": REPOSITORY, **words}
        return self.control(acts=[act])["acts"][0]

    def told(self):
        return self.ask("told")

    def violations(self):
        return self.told()["violations"]

    def writes(self, operation):
        return [row for row in self.told()["writes"] if row["operation"] == operation]

    def effects(self, operation):
        """The writes that had an effect, whether or not their answers arrived."""
        return [row for row in self.writes(operation) if row["effect"]]

    def head(self, branch="main"):
        return self.ask("state")[REPOSITORY]["refs"][f"heads/{branch}"]

    def environment(self, token=TOKEN):
        """What a workflow's step finds; only what concerns the API."""
        return {
            "GITHUB_API_URL": self.api_url, "GITHUB_SERVER_URL": self.url,
            "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": token,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/_oidc/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bench-oidc",
        }

    # ---- the API, as a client asks it ------------------------------------------------------------

    def api(self, verb, path, body=None, token=TOKEN, headers=(), raw=None):
        """`path` is of the repository, unless it begins with a slash."""
        place = path if path.startswith("/") else f"/repos/{REPOSITORY}/{path}"
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        known = {
            "Authorization": f"Bearer {token}", "User-Agent": "tests",
            "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28",
        }
        if data is not None:
            known["Content-Type"] = "application/json"
        known.update(headers)
        known = {name: value for name, value in known.items() if value is not None}
        request = urllib.request.Request(self.api_url + place, data, known, method=verb)
        try:
            with self.opener.open(request, timeout=30) as answer:
                text = answer.read()
                return Answer(answer.status, json.loads(text) if text else None, answer.headers)
        except urllib.error.HTTPError as why:
            text = why.read()
            if why.code in (302, 304):
                return Answer(why.code, None, why.headers)
            raise Refusal(why.code, text.decode(), why.headers) from None

    def quiet(self):
        """Puts GitHub's clock ahead, so that what is written next is not too fast."""
        self.control(advance=1.5)

    def stop(self):
        if self.child.poll() is None:
            self.child.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(timeout=20)
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        self.log.close()
