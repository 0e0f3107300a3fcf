"""A real data plane: per service or group an HAProxy, behind it a process per revision or instance.

Settings (POST /control {"settings": …}), before the resource is made:
    serve   [NAME, …]: services and groups that have a data plane

Servers are added, weighted, drained and removed through HAProxy's runtime socket, so that no
request is lost by it; they have the names of revisions or instances, also in HAProxy's counts (its
exporter: `haproxy_server_http_responses_total{proxy="SERVICE", server="REVISION", code="5xx"}`).

GET /state      {NAME: {"url": …, "metrics": URL, "current": true | false,
                        "servers": {NAME: {"revision": …, "weight": N, "port": N}}}}
                "current": what is wanted is also what is served
"""

import collections
import contextlib
import ctypes
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
DRAIN_SECONDS = 10
CONFIG = """\
global
  stats socket {folder}/socket mode 600 level admin
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  retries 3
  option redispatch
frontend {name}
  bind fd@{site}
  default_backend {name}
frontend exporter
  bind fd@{metrics}
  http-request use-service prometheus-exporter
backend {name}
  balance random
  option http-server-close
"""

Server = collections.namedtuple("Server", "name revision weight image")


def listening():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    s.listen(512)
    return s


def port_of(s):
    return s.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def start(command, sockets):
    return subprocess.Popen(
        [str(word) for word in command], pass_fds=[s.fileno() for s in sockets],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent,
    )


def end(child):
    child.terminate()
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


class Site:
    """One service or group. Its `wanted` is written under the lock of the bench; everything else
    is the plane's thread's."""

    def __init__(self, name, folder):
        self.name, self.folder = name, Path(folder)
        self.socket, self.metrics = listening(), listening()
        self.listeners, self.children, self.served = {}, {}, {}
        self.wanted, self.gone, self.haproxy = {}, False, None
        self.current = True

    def port(self, server):
        if server not in self.listeners:
            self.listeners[server] = listening()
        return port_of(self.listeners[server])

    def want(self, servers, keep):
        for server in servers:
            self.port(server.name)
        kept = {name: server._replace(weight=0) for name, server in self.wanted.items() if keep}
        self.wanted = {**kept, **{server.name: server for server in servers}}
        self.current = False

    def start(self):
        self.folder.mkdir()
        path = self.folder / "haproxy.cfg"
        path.write_text(CONFIG.format(
            name=self.name, folder=self.folder, site=self.socket.fileno(),
            metrics=self.metrics.fileno(),
        ))
        self.haproxy = start([HAPROXY, "-db", "-q", "-f", path], [self.socket, self.metrics])
        until = time.monotonic() + 20
        while not (self.folder / "socket").exists():
            if self.haproxy.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"HAProxy does not start for {self.name}")
            time.sleep(0.01)

    def say(self, words):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.folder / "socket"))
            s.sendall(words.encode() + b"\n")
            answer = b""
            while more := s.recv(65536):
                answer += more
        return answer.decode().strip()

    def apply(self, wanted):
        """New ones first, so that somebody always serves; then the weights; then who goes."""
        if not self.haproxy:
            self.start()
        for name, server in wanted.items():
            if name not in self.served:
                self.add(server)
        for name, server in sorted(wanted.items(), key=lambda item: -item[1].weight):
            if self.served[name].weight != server.weight:
                self.say(f"set server {self.name}/{name} weight {server.weight}")
            self.served[name] = server
        for name in [name for name in self.served if name not in wanted]:
            self.remove(name)

    def add(self, server):
        kind = "bad" if "bad" in server.image else "good"
        self.port(server.name)  # wanted again while it was taken away: its own is gone by now
        with_socket = self.listeners[server.name]
        self.children[server.name] = start(
            [sys.executable, HERE / "application.py", with_socket.fileno(), server.revision,
             server.name, kind], [with_socket],
        )
        port = port_of(with_socket)
        name = f"{self.name}/{server.name}"
        told = self.say(f"add server {name} 127.0.0.1:{port} weight {server.weight}")
        if "New server registered" not in told:
            raise RuntimeError(f"HAProxy: {told}")
        self.say(f"enable server {name}")
        self.served[server.name] = server

    def remove(self, name):
        self.say(f"set server {self.name}/{name} state maint")
        until = time.monotonic() + DRAIN_SECONDS
        while self.connections(name) and time.monotonic() < until:
            time.sleep(0.02)
        self.say(f"del server {self.name}/{name}")
        self.drop_child(name)
        del self.served[name]

    def connections(self, name):
        for line in self.say(f"show servers conn {self.name}").splitlines():
            words = line.split()
            if words and words[0] == f"{self.name}/{name}":
                return int(words[6])
        return 0

    def drop_child(self, name):
        if name in self.children:
            end(self.children.pop(name))
        self.listeners.pop(name).close()

    def stop(self):
        if self.haproxy:
            end(self.haproxy)
        for name in list(self.listeners):
            self.drop_child(name)
        self.socket.close()
        self.metrics.close()

    def state(self):
        return {
            "url": f"http://127.0.0.1:{port_of(self.socket)}",
            "metrics": f"http://127.0.0.1:{port_of(self.metrics)}/metrics",
            "current": self.current,
            "servers": {
                name: {"revision": server.revision, "weight": server.weight,
                       "port": self.port(name)}
                for name, server in list(self.served.items())
            },
        }


class DataPlane:
    def __init__(self, clock, settings):
        self.clock, self.settings = clock, settings
        self.folder = Path(tempfile.mkdtemp(prefix="google-"))
        self.sites, self.leaving, self.number, self.over = {}, [], 0, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def site(self, name):
        if name not in self.sites and name in self.settings.get("serve", []) and HAPROXY:
            self.number += 1
            self.sites[name] = Site(name, self.folder / str(self.number))
        return self.sites.get(name)

    def uri(self, name, tag=None, revision=None):
        """Of a service, or of a tag: that is the revision's own port."""
        site = self.site(name)
        if not site:
            return f"https://{tag + '---' if tag else ''}{name}-bench-ew.a.run.app"
        port = site.port(revision) if revision else port_of(site.socket)
        return f"http://127.0.0.1:{port}"

    def route(self, name, servers, keep=False):
        """`keep`: those that are named no more stay, without traffic, and so do their counts."""
        site = self.site(name)
        if site:
            site.want(servers, keep)
            self.clock.changed.notify_all()

    def drop(self, name):
        if name in self.sites:
            self.leaving.append(self.sites.pop(name))
            self.clock.changed.notify_all()

    def forget(self):
        for name in list(self.sites):
            self.drop(name)

    def state(self):
        with self.clock.lock:
            return {name: site.state() for name, site in self.sites.items()}

    def work(self):
        """What is to be done next, as a function to be called without the lock."""
        if self.leaving:
            return self.leaving.pop().stop
        for site in self.sites.values():
            if not site.current:
                return lambda site=site: self.bring(site)
        return None

    def bring(self, site):
        wanted = site.wanted
        site.apply(wanted)
        with self.clock.lock:
            site.current = site.wanted is wanted
            self.clock.changed.notify_all()

    def run(self):
        while True:
            with self.clock.lock:
                while not (work := self.work()) and not self.over:
                    self.clock.changed.wait(1)
            if not work:
                break
            try:
                work()
            except (OSError, RuntimeError) as error:
                sys.stderr.write(f"data plane: {error}\n")
                time.sleep(0.2)

    def stop(self):
        with self.clock.lock:
            self.forget()
            self.over = True
            self.clock.changed.notify_all()
        self.thread.join(timeout=30)
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)
