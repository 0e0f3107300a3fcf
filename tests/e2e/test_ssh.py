"""Rollouts over SSH: each host of the scene is reached through an OpenSSH server of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import ROOT, end
from scene import PYTHON

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin")
pytestmark = pytest.mark.skipif(not SSHD, reason="sshd is not installed")


class Sshd:
    """One of tests/bench/sshd, that can be taken away and brought back on the same port."""

    def __init__(self):
        self.bench = subprocess.Popen(
            [PYTHON, ROOT / "tests/bench/sshd"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        told = self.bench.stdout.readline()
        assert told, "sshd did not start"
        self.told = json.loads(told)
        self.config = Path(self.told["directory"]) / "config"
        self.again = None

    def servers(self):
        """Its listening process and the ones of its connections; not what they have started."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if folder.name.isdigit() and words.startswith((SSHD, "sshd: ")):
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                    found.append((int(folder.name), parent, str(self.config) in words))
            except OSError:
                pass
        ours = [pid for pid, _, is_ours in found if is_ours]
        for pid in ours:
            ours += [child for child, parent, _ in found if parent == pid and child not in ours]
        return ours

    def stop(self):
        """As when the machine's network is gone: what runs on the host goes on."""
        for pid in self.servers():
            os.kill(pid, signal.SIGKILL)
        if self.again:
            self.again.wait()

    def start(self):
        self.again = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", self.config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def close(self):
        if self.again:
            self.stop()
        self.bench.stdin.close()
        self.bench.stdout.close()
        self.bench.wait()


@pytest.fixture
def servers():
    servers = []
    try:
        for _ in range(2):
            servers.append(Sshd())
        first, second = servers
        accepted = Path(second.told["directory"]) / "authorized_keys"
        with accepted.open("a") as file:
            file.write(Path(first.told["key"] + ".pub").read_text())
        yield servers
    finally:
        for server in servers:
            server.close()


@pytest.fixture
def remote(site, servers, tmp_path):
    """The site with its hosts reached over SSH. `remote.known_hosts` can be written anew."""
    site.known_hosts = tmp_path / "known_hosts"
    know(site, servers)
    site.config("transport: local", f"""transport: ssh
    user: {servers[0].told["user"]}
    key_file: {servers[0].told["key"]}
    known_hosts: {site.known_hosts}""")
    for server, (name, port) in zip(servers, site.scene.ports["hosts"].items()):
        site.config(
            f"{{host: {name}, port: {port}}}",
            f"{{host: {name}, port: {port}, address: 127.0.0.1, ssh_port: {server.told['port']}}}",
        )
    site.config("incidents:", "rollback: {time_limit: 15s}\nincidents:")
    return site


def know(site, servers, file="known_hosts"):
    site.known_hosts.write_text("".join(Path(s.told[file]).read_text() for s in servers))


def current(site):
    return [os.readlink(host / "current") for host in site.scene.host_directories()]


def wait_for_line(child, words):
    """Reads what the rollout says until the words are there."""
    said = ""
    for line in child.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(f"it never said {words!r}:\n{said}")


def test_adopt_out_and_back_over_ssh(remote):
    adopted = remote.must("adopt")
    assert "serves v1; recorded as known good" in adopted.out
    remote.release("2-search")
    done = remote.must("rollout", "v2")
    assert "v2 done in production" in done.out
    assert "step 1 of 2" in done.err and "step 2 of 2" in done.err
    assert remote.serving() == {"v2"}
    remote.release("3-recommend")
    bad = remote.must("rollout", "v3", code=1)
    assert "courses on web" in bad.out and "rolled-back" in bad.out
    assert remote.serving() == {"v2"}
    back = remote.must("rollback", "--yes", "--reason", "parents call")
    assert "done" in back.out, back
    assert remote.serving() == {"v1"}
    remote.must("verify")


@pytest.mark.parametrize("file", ["empty_hosts", "wrong_hosts", "revoked_hosts"])
def test_a_host_that_is_not_the_one_known_is_refused_and_nothing_touched(remote, servers, file):
    remote.release("2-search")
    know(remote, servers[:1])
    with remote.known_hosts.open("a") as known:
        known.write(Path(servers[1].told[file]).read_text())
    before = current(remote)
    listed = sorted(remote.scene.directory.glob("hosts/app2/**/*"))
    for words in (["adopt"], ["rollout", "v2"]):
        done = remote.run(*words)
        print(words, done)
    assert current(remote) == before
    assert remote.serving() == {"v1"}
    assert sorted(remote.scene.directory.glob("hosts/app2/**/*")) == listed
    assert 0


@pytest.mark.parametrize("lost", [0, 1])
def test_a_host_that_is_gone_in_the_middle_makes_it_stuck_and_resume_mends_it(
    remote, servers, lost
):
    remote.release("2-search")
    rollout = remote.start("rollout", "v2")
    try:
        said = wait_for_line(rollout, "step bake")
        servers[lost].stop()
        out, err = rollout.communicate(timeout=120)
    finally:
        end(rollout)
    print(said, out, err, rollout.returncode)
    print(remote.serving(), remote.run("status"))
    print(remote.run("resume"))
    servers[lost].start()
    print(remote.run("resume"))
    print(remote.serving())
    print(remote.run("verify"))
    print(remote.run("log"))
    assert 0
