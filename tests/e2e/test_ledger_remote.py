"""The ledger's remote over HTTPS and SSH: git's own server programs behind loopback servers."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import ROOT, SLUICE

CONFIG = """version: 1
targets:
  web: {kind: hosts, transport: local, inventory: [one], path: "/nowhere/${host}"}
rollout:
  - {stage: production, targets: [web]}
evidence:
  tests: {reports: junit.xml}
gate:
  tests: {failures: 0}
ledger: {branch: release-ledger, remote: "@url@"}
"""
REPORT = '<testsuite tests="1"><testcase classname="c" name="n"/></testsuite>'


def git(folder, *words):
    done = subprocess.run(["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@t", *words],
                          check=True, capture_output=True, text=True)
    return done.stdout


class Remote:
    """A bare repository with a server before it, and checkouts whose ledger it keeps."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "git/ledger.git"
        self.environment = {**os.environ, "HOME": str(folder)}
        git(folder, "init", "-q", "--bare", self.path)

    def checkout(self, name, url):
        work = self.folder / name
        (work / ".github").mkdir(parents=True)
        (work / ".github/sluice.yml").write_text(CONFIG.replace("@url@", url))
        (work / "junit.xml").write_text(REPORT)
        (work / "name").write_text(name)
        git(work, "init", "-q", "-b", "main")
        git(work, "add", ".")
        git(work, "commit", "-q", "-m", name)
        return work

    def gate(self, work):
        done = subprocess.run([SLUICE, "gate", "--record", "-C", work], env=self.environment,
                              capture_output=True, text=True, timeout=120)
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        return done

    def must(self, work):
        done = self.gate(work)
        assert done.returncode == 0 and "ledger" not in done.stderr, done

    def decisions(self):
        names = git(self.path, "ls-tree", "-r", "--name-only", "release-ledger", "events/")
        return [name for name in names.splitlines() if name.endswith("gate.decided.json")]


@pytest.fixture
def https(tmp_path):
    remote = Remote(tmp_path)
    ca, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=t", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", ca],
                   check=True, capture_output=True)
    server = subprocess.Popen([sys.executable, ROOT / ".ci/static/https_server.py", ca, key,
                               tmp_path / "git"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().split()[0]
        remote.url = f"https://localhost:{port}/ledger.git"
        remote.environment["SSL_CERT_FILE"] = str(ca)
        yield remote
    finally:
        server.kill()
        server.communicate()


@pytest.fixture
def ssh(tmp_path):
    remote = Remote(tmp_path)
    server = subprocess.Popen([ROOT / "tests/bench/sshd"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        at = json.loads(server.stdout.readline())
        (tmp_path / ".ssh").mkdir(mode=0o700)
        for theirs, ours in (("known_hosts", "known_hosts"), ("key", "id_ed25519")):
            (tmp_path / ".ssh" / ours).write_bytes(open(at[theirs], "rb").read())
        (tmp_path / ".ssh/id_ed25519").chmod(0o600)
        (tmp_path / ".ssh/id_ed25519.pub").write_bytes(open(at["key"] + ".pub", "rb").read())
        remote.environment.pop("SSH_AUTH_SOCK", None)
        # libgit2 1.5 forgets the list of known hosts of every connection, some hundred bytes each.
        remote.environment["ASAN_OPTIONS"] = "detect_leaks=0"
        remote.host = f"ssh://{at['user']}@127.0.0.1:{at['port']}"
        remote.url = f"{remote.host}{remote.path}"
        yield remote
    finally:
        server.communicate("")


@pytest.fixture(params=["https", "ssh"])
def remote(request):
    return request.getfixturevalue(request.param)


def test_what_is_recorded_is_pushed(remote):
    work = remote.checkout("one", remote.url)
    remote.must(work)
    assert len(remote.decisions()) == 1
    tips = {git(folder, "rev-parse", "refs/heads/release-ledger")
            for folder in (remote.path, work / ".git/sluice/ledger.git")}
    assert len(tips) == 1
    assert git(work / ".git/sluice/ledger.git", "for-each-ref", "refs/sluice") == ""


def test_the_next_one_goes_on_from_there(remote):
    for name in ("one", "two", "three"):
        remote.must(remote.checkout(name, remote.url))
    assert len(remote.decisions()) == 3
    git(remote.path, "fsck", "--strict")


def test_a_race_loses_nothing(remote):
    works = [remote.checkout(f"w{i}", remote.url) for i in range(4)]
    with ThreadPoolExecutor(len(works)) as pool:
        for done in pool.map(remote.gate, works):
            assert done.returncode == 0, done
    assert len(remote.decisions()) == len(works)


def test_a_path_that_a_shell_would_read_is_refused(ssh):
    for path in ("/x'; touch /tmp/y '", "/x$(id)", "/x`id`", "/%27x"):
        done = ssh.gate(ssh.checkout(f"bad{len(path)}", f"{ssh.host}{path}".replace('"', "")))
        assert "a shell could take for its own" in done.stderr + done.stdout, done


def test_a_server_named_by_its_address_is_refused(https):
    done = https.gate(https.checkout("one", https.url.replace("localhost", "127.0.0.1")))
    assert "use its name" in done.stderr + done.stdout, done
    assert git(https.path, "for-each-ref") == ""


def test_another_ca_is_refused(https):
    https.environment["SSL_CERT_FILE"] = "/nonexistent"
    done = https.gate(https.checkout("one", https.url))
    assert "certificate" in done.stderr + done.stdout or "SSL" in done.stderr + done.stdout, done
    assert git(https.path, "for-each-ref") == ""
