#!/usr/bin/python3
"""The world of the demo: hosts, a load balancer, a database and a repository, in one directory.

    scene.py start DIRECTORY [--hosts 4]            all of it, with release 1 running
    scene.py commit DIRECTORY PATCH [--branch NAME --from REVISION]
                                                    apply releases/PATCH.patch as a commit, push it
    scene.py serving DIRECTORY                      what each host runs, as /health says it
    scene.py stop DIRECTORY                         end every process; the directory stays

From Python:

    with Scene(directory, hosts=2) as scene:
        scene.commit("2-search")
        ...

    DIRECTORY/learn          the application's repository, a clone of
             /learn.git      its remote
             /hosts/app1     releases/, shared/, current -> releases/ID; app2 and so on beside it
             /haproxy        the load balancer's configuration, runtime socket and pid
             /database       one database for all hosts
             /bin/host       drain, restart and restore, for the configuration
             /scene.json     ports
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # the one that has the distribution's Django
SEARCH_PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin"
GIT_ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


LANES = 8


def below_ephemeral():
    """The ports that the system gives to no outgoing connection: one of those may stay closed
    while a server restarts, and is still free for it then."""
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        lowest = 32768
    return range(10000, lowest) if lowest > 12000 else range(20000, 32768)


def own_lane(ports):
    """Of tests that run side by side, each takes its own: a port is free until somebody listens."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    lane = int(worker[2:]) % LANES if worker[2:].isdigit() else None
    return [port for port in ports if lane is None or port % LANES == lane]


def free_ports(count):
    """Ports that nobody listens on now; held all at once, so that they differ."""
    candidates = random.Random(os.urandom(8)).sample(own_lane(below_ephemeral()), 200 + count)
    held = []
    for port in candidates:
        if len(held) == count:
            break
        with contextlib.suppress(OSError):
            held.append(socket.create_server(("127.0.0.1", port)))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    if len(ports) < count:
        raise RuntimeError(f"{count} free ports below the ephemeral range are not to be had")
    return ports


def fill(template, values):
    text = (HERE / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


class Scene:
    def __init__(self, directory, hosts=4):
        self.directory = Path(directory).resolve()
        self.repository = self.directory / "learn"
        self.described = self.directory / "scene.json"
        if self.described.exists():
            self.ports = json.loads(self.described.read_text())
        else:
            site, metrics, *each = free_ports(2 + hosts)
            names = [f"app{number}" for number in range(1, hosts + 1)]
            self.ports = {
                "site_port": site,
                "metrics_port": metrics,
                "hosts": dict(zip(names, each)),
            }

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        try:
            self.make()
        except BaseException:  # an interrupt too
            self.stop()
            raise

    def make(self):
        for folder in ("bin", "haproxy", "database"):
            (self.directory / folder).mkdir(parents=True)
        (self.directory / "bin/host").symlink_to(HERE / "host")
        self.described.write_text(json.dumps(self.ports) + "\n")
        self.make_repository()
        self.make_database()
        self.start_hosts()
        self.start_haproxy()

    def stop(self):
        known = [host for host in self.host_directories() if (host / "shared/host.json").exists()]
        for stopped in [self.host(host, "stop") for host in known]:
            stopped.wait()
        self.stop_haproxy()

    # The repository

    def git(self, *arguments, cwd=None):
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=cwd or self.repository, env=GIT_ENVIRONMENT, check=True, stdout=-1
        )
        return done.stdout.decode().strip()

    def make_repository(self):
        built = shutil.ignore_patterns("__pycache__", "reports", ".coverage", "*.sqlite3")
        shutil.copytree(HERE / "app", self.repository, ignore=built)
        inventory = ", ".join(
            f"{{host: {name}, port: {port}}}" for name, port in self.ports["hosts"].items()
        )
        (self.repository / ".github").mkdir()
        (self.repository / ".github/sluice.yml").write_text(
            fill("sluice.yml", {"directory": self.directory, "inventory": inventory})
        )
        remote = self.directory / "learn.git"
        self.git("init", "--quiet", "--bare", "--initial-branch=main", remote, cwd=self.directory)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Learn team")
        self.git("config", "user.email", "team@learn.example")
        self.git("remote", "add", "origin", remote)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=Courses, enrolment and payments")
        self.git("push", "--quiet", "--set-upstream", "origin", "main")

    def commit(self, patch, branch=None, start="main"):
        """Apply a change as a commit, on a new branch or on the current one; gives its id."""
        if branch:
            self.git("switch", "--quiet", "--create", branch, start)
        self.git("am", "--quiet", "--ignore-date", HERE / "releases" / f"{patch}.patch")
        self.git("push", "--quiet", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")

    # Database, hosts and load balancer

    def make_database(self):
        environment = {
            "PATH": "/usr/bin:/bin",
            "LEARN_DATABASE": str(self.directory / "database/learn.sqlite3"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for command in (["migrate"], ["loaddata", "catalogue"]):
            command = [PYTHON, "manage.py", *command, "--verbosity=0"]
            subprocess.run(command, cwd=self.repository, env=environment, check=True)
        database = sqlite3.connect(environment["LEARN_DATABASE"])
        database.execute("PRAGMA journal_mode=WAL")  # who reads does not wait for who writes
        database.close()

    def host_directories(self):
        return [self.directory / "hosts" / name for name in self.ports["hosts"]]

    def host(self, directory, verb):
        return subprocess.Popen([PYTHON, HERE / "host", verb], cwd=directory)

    def start_hosts(self):
        """Put release 1 on every host, as it was done before there was sluice, and run it."""
        release = "v1"
        for (name, port), host in zip(self.ports["hosts"].items(), self.host_directories()):
            bundle = host / "releases" / release
            bundle.mkdir(parents=True)
            (host / "shared").mkdir()
            self.git("--work-tree", bundle, "checkout", "HEAD", "--", ".")
            (bundle / "RELEASE").write_text(release + "\n")
            (host / "current").symlink_to(Path("releases") / release)
            known = {
                "name": name,
                "port": port,
                "haproxy": str(self.directory / "haproxy/runtime.sock"),
                "database": str(self.directory / "database/learn.sqlite3"),
            }
            (host / "shared/host.json").write_text(json.dumps(known) + "\n")
        started = [self.host(host, "start") for host in self.host_directories()]
        try:
            failed = [each for each in started if each.wait()]
        finally:
            for each in started:  # interrupted: what a host began has to be known to stop()
                each.wait()
        if failed:
            raise RuntimeError("a host did not start")

    def start_haproxy(self):
        haproxy = self.directory / "haproxy"
        servers = "\n".join(
            f"    server {name} 127.0.0.1:{port}" for name, port in self.ports["hosts"].items()
        )
        values = {**self.ports, "directory": haproxy, "servers": servers}
        (haproxy / "haproxy.cfg").write_text(fill("haproxy.cfg", values))
        program = shutil.which("haproxy", path=SEARCH_PATH)
        if not program:
            raise RuntimeError("haproxy is not installed")
        command = [program, "-D", "-f", haproxy / "haproxy.cfg", "-p", haproxy / "haproxy.pid"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def stop_haproxy(self):
        pid_file = self.directory / "haproxy/haproxy.pid"
        if not pid_file.exists():
            return
        try:
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
        except ProcessLookupError:
            pass
        pid_file.unlink()

    def serving(self):
        """Which release each host runs, by name of the host."""
        return {
            name: urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
            .read()
            .decode()
            .strip()
            for name, port in self.ports["hosts"].items()
        }


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = options.add_subparsers(dest="verb", required=True)
    for verb in ("start", "stop", "serving", "commit"):
        verbs.add_parser(verb).add_argument("directory", type=Path)
    verbs.choices["start"].add_argument("--hosts", type=int, default=4)
    verbs.choices["commit"].add_argument("patch")
    verbs.choices["commit"].add_argument("--branch")
    verbs.choices["commit"].add_argument("--from", dest="start", default="main")
    given = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    if given.verb == "start":
        Scene(given.directory, given.hosts).start()
    elif given.verb == "commit":
        print(Scene(given.directory).commit(given.patch, given.branch, given.start))
    elif given.verb == "serving":
        for name, release in Scene(given.directory).serving().items():
            print(name, release)
    else:
        Scene(given.directory).stop()


if __name__ == "__main__":
    main()
