"""Rollouts over SSH: each host of the scene is reached through an OpenSSH server of its own."""

import json
import os
import shutil
import signal
import subprocess
import threading
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
    over = [
        "transport: local", f"""transport: ssh
    user: {servers[0].told["user"]}
    key_file: {servers[0].told["key"]}
    known_hosts: {site.known_hosts}""",
        "incidents:", "rollback: {time_limit: 15s}\nincidents:",
        "step_bake: 3s", "step_bake: 3s\n    settle_limit: 15s",
    ]
    for server, (name, port) in zip(servers, site.scene.ports["hosts"].items()):
        over += [
            f"{{host: {name}, port: {port}}}",
            f"{{host: {name}, port: {port}, address: 127.0.0.1, ssh_port: {server.told['port']}}}",
        ]
    site.config(*over)
    return site


def know(site, servers, files=("known_hosts", "known_hosts")):
    site.known_hosts.write_text(
        "".join(Path(server.told[file]).read_text() for server, file in zip(servers, files))
    )


def current(site):
    return [os.readlink(host / "current") for host in site.scene.host_directories()]


def wait_for_line(child, words, timeout=120):
    """Reads what the rollout says until the words are there."""
    said = ""
    late = threading.Timer(timeout, child.kill)
    late.start()
    try:
        for line in child.stderr:
            said += line
            if words in line:
                return said
    finally:
        late.cancel()
    raise AssertionError(f"it never said {words!r}:\n{said}")


def unfinished(site):
    return site.must("status", "--format", "json").json()["rollouts"]


def test_adopt_out_and_back_over_ssh(remote):
    adopted = remote.must("adopt")
    assert "serves v1; recorded as known good" in adopted.out
    remote.release("2-search")
    done = remote.must("rollout", "v2")
    assert "v2 done in production" in done.out
    assert "step 1 of 2: web to 50 %" in done.err and "step 2 of 2: web to 100 %" in done.err
    assert remote.serving() == {"v2"}
    remote.release("3-recommend")
    bad = remote.must("rollout", "v3", code=1)
    assert "v3 rolled-back in production: courses on web" in bad.out, bad
    assert remote.serving() == {"v2"}
    back = remote.must("rollback", "--yes", "--reason", "parents call")
    assert "web: from v2 to v1" in back.err, back
    assert remote.serving() == {"v1"}
    remote.must("verify")


@pytest.mark.parametrize(
    "file, refusal, remedy",
    [
        ("empty_hosts", "the host 127.0.0.1 is not in", "run `ssh-keyscan -t ed25519 -p {port} "),
        ("wrong_hosts", "IS NOT THE KNOWN ONE", "run `ssh-keygen -R '[127.0.0.1]:{port}'"),
        ("revoked_hosts", "IS REVOKED in", ""),
    ],
)
def test_a_host_that_is_not_known_is_refused_with_the_remedy_and_nothing_touched(
    remote, servers, file, refusal, remedy
):
    second = remote.scene.directory / "hosts/app2"
    listed = sorted(second.glob("**/*"))
    know(remote, servers, ["known_hosts", file])
    done = remote.must("adopt", code=1)
    assert "app2: " in done.err and refusal in done.err, done
    assert remedy.format(port=servers[1].told["port"]) in done.err, done
    assert sorted(second.glob("**/*")) == listed


# ---- preflight: refused before anything is recorded or touched -----------------------------------


def wrong_key(remote, servers):
    know(remote, servers, ["known_hosts", "wrong_hosts"])
    return ["target web: app2: ", "IS NOT THE KNOWN ONE", "ssh-keygen -R"]


def refused_login(remote, servers):
    (Path(servers[1].told["directory"]) / "authorized_keys").write_text("")
    return ["target web: app2: ", "does not let", "add the public half of the key to"]


def out_of_reach(remote, servers):
    servers[1].stop()
    return ["target web: app2: ", "Connection refused", "see that it is up"]


def no_room(remote, servers):
    remote.config("path: ", "path: /dev/null/learn # ")
    return ["2 parts of stage production", "target web: app1: /dev/null is not a folder",
            "target web: app2: /dev/null is not a folder", "set another `path`"]


def both(remote, servers):
    know(remote, servers, ["wrong_hosts", "wrong_hosts"])
    return ["target web: app1: ", "target web: app2: ", "2 parts of stage production"]


@pytest.mark.parametrize("spoil", [wrong_key, refused_login, out_of_reach, no_room, both])
def test_a_host_that_could_not_be_changed_refuses_the_rollout_before_it_begins(
    remote, servers, spoil
):
    commit = remote.release("2-search")
    before, recorded = current(remote), len(remote.events())
    words = spoil(remote, servers)
    began = time.monotonic()
    done = remote.must("rollout", "v2", "--commit", commit, code=3)
    assert time.monotonic() - began < 30
    assert "nothing was touched" in done.err and all(word in done.err for word in words), done
    assert current(remote) == before and not unfinished(remote)
    assert len(remote.events()) == recorded, "nothing is planned, and nobody is woken"
    assert not list(remote.scene.directory.glob("hosts/*/releases/*v2*")), "nothing is staged"


def test_a_key_file_that_is_not_there_is_a_mistake_of_the_configuration(remote, servers):
    remote.config(f"key_file: {servers[0].told['key']}", "key_file: /nowhere/key")
    remote.release("2-search")
    done = remote.must("rollout", "v2", code=2)
    assert "/nowhere/key" in done.err and "nothing was touched" in done.err, done
    assert not unfinished(remote)


def test_a_first_deployment_that_cannot_log_in_ends_at_once(remote, servers):
    remote.config("  - stage: production\n", "  - stage: production\n    environment: elsewhere\n")
    remote.release("2-search")
    for server in servers:
        (Path(server.told["directory"]) / "authorized_keys").write_text("")
    began = time.monotonic()
    done = remote.must("rollout", "v2", "--first", "web", code=3)
    assert time.monotonic() - began < 12, "no reverts are tried until the time limit of 15 s"
    assert "does not let" in done.err and not unfinished(remote), done


def test_a_rollout_that_is_under_way_and_a_rollback_are_not_asked_again(remote, servers):
    remote.config("step_bake: 3s", "step_bake: 60s")
    remote.release("2-search")
    rollout = remote.start("rollout", "v2")
    try:
        wait_for_line(rollout, "step bake")
    finally:
        end(rollout)
    know(remote, servers, ["known_hosts", "wrong_hosts"])
    again = remote.start("rollout", "v2")
    try:
        said = wait_for_line(again, "IS NOT THE KNOWN ONE")
    finally:
        end(again)
    assert "nothing was touched" not in said and "app2: " in said, said
    back = remote.run("rollback", "--yes", "--reason", "a host is not the known one")
    assert back.code == 3 and "stuck" in back.out and "app2: " in back.err, back
    assert "nothing was touched" not in back.err
    assert remote.serving() == {"v1"}, "app1 is back, and app2 never had it"


def test_logins_and_addresses_may_come_from_the_environment(remote, servers):
    told = servers[0].told
    remote.config(f"user: {told['user']}", 'user: "${env.DEPLOY_USER}"')
    remote.config(f"key_file: {told['key']}", 'key_file: "${env.KEYS}/key"')
    remote.config("address: 127.0.0.1, ssh_port: %s" % told["port"],
                  'address: "${env.APP1}", ssh_port: %s' % told["port"])
    remote.config("version: 1", "version: 1\nenv: [DEPLOY_USER, KEYS, APP1]")
    remote.release("2-search")
    missing = remote.must("rollout", "v2", code=2)
    assert "`${env." in missing.err and "is not set: name it in the list `env:`" in missing.err
    environment = {
        "DEPLOY_USER": told["user"], "KEYS": str(Path(told["key"]).parent), "APP1": "127.0.0.1"
    }
    done = remote.must("rollout", "v2", env=environment)
    assert "v2 done in production" in done.out
    assert remote.serving() == {"v2"}


def test_a_host_that_is_gone_for_a_moment_does_not_stop_a_rollout(remote, servers):
    remote.release("2-search")
    rollout = remote.start("rollout", "v2")
    try:
        wait_for_line(rollout, "step bake")
        servers[1].stop()
        time.sleep(1)
        servers[1].start()
        out, err = rollout.communicate(timeout=120)
    finally:
        end(rollout)
    assert rollout.returncode == 0 and "v2 done in production" in out, (out, err)
    assert remote.serving() == {"v2"}
    remote.must("verify")


@pytest.mark.parametrize("lost, left", [(0, {"v1", "v2"}), (1, {"v1"})])
def test_a_host_that_stays_away_leaves_it_stuck_and_resume_ends_it_right(
    remote, servers, lost, left
):
    remote.release("2-search")
    rollout = remote.start("rollout", "v2")
    try:
        wait_for_line(rollout, "step bake")
        servers[lost].stop()
        out, err = rollout.communicate(timeout=120)
    finally:
        end(rollout)
    assert rollout.returncode == 3 and "v2 stuck in production" in out, (out, err)
    assert "P1 opened" in err and "Connection refused" in err, err
    assert remote.serving() == left
    assert [each["phase"] for each in unfinished(remote)] == ["stuck"]
    servers[lost].start()
    done = remote.must("resume", code=1)
    assert "v2 rolled-back in production" in done.out, done
    assert remote.serving() == {"v1"}
    assert not unfinished(remote)
    remote.must("verify")
