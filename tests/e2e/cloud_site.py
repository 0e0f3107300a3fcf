"""A repository with sluice in it whose targets are a cloud's: no hosts, no database, only git; and
visitors of a site who count what they get.

    site = CloudSite(folder)
    site.configure(TARGETS_AND_METRICS)
    site.change("2"); site.must("rollout", "v2", "--artifact", f"web={digest}")
"""

import collections
import http.client
import threading
import time
import urllib.parse

from conftest import Site
from scene import Scene

JUNIT = '<testsuite name="app" tests="1"><testcase classname="app" name="answers"/></testsuite>\n'
CONFIGURATION = """\
version: 1
evidence: {tests: {reports: reports/junit.xml}}
gate: {tests: {failures: 0}}
"""


class Repository(Scene):
    """Of the demo's scene, only the repository."""

    def __init__(self, directory):
        super().__init__(directory, hosts=1)
        self.directory.mkdir(parents=True)

    def make_repository(self):
        (self.repository / ".github").mkdir(parents=True)
        (self.repository / "reports").mkdir()
        (self.repository / "reports/junit.xml").write_text(JUNIT)
        (self.repository / ".github/sluice.yml").write_text(CONFIGURATION)
        remote = self.directory / "learn.git"
        self.git("init", "--quiet", "--bare", "--initial-branch=main", remote, cwd=self.directory)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Learn team")
        self.git("config", "user.email", "team@learn.example")
        self.git("remote", "add", "origin", remote)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=The application")
        self.git("push", "--quiet", "--set-upstream", "origin", "main")


class CloudSite(Site):
    def __init__(self, directory):
        scene = Repository(directory)
        scene.make_repository()
        super().__init__(scene)

    as_whom = {}  # of the environment, where sluice is somebody else than the test
    policy, also = None, ()

    def may(self, *more):
        """From now on sluice may do what the page of its target says, and this, and nothing else."""
        self.also += more
        self.as_whom = self.world.bench.limited(self.policy, *self.also)

    def start(self, *words, **more):
        return super().start(*words, **{**more, "env": {**self.as_whom, **more.get("env", {})}})

    def save(self, message):
        self.scene.git("add", "--all")
        self.scene.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        self.scene.git("push", "--quiet", "origin", "HEAD")

    def configure(self, text):
        (self.repository / ".github/sluice.yml").write_text(CONFIGURATION + text)
        self.save("Configuration")
        self.must("gate", "--record")

    def change(self, text):
        """A commit that the gate has let pass."""
        (self.repository / "app.txt").write_text(text)
        self.save(f"Change {text}")
        self.must("gate", "--record")


class Visitors:
    """Ask a site all the time, each over a connection of its own for each request; `got` counts the
    answers by release and status, `lost` has what was no answer."""

    def __init__(self, url, count=4, pause=0.02):
        self.place = urllib.parse.urlsplit(url)
        self.pause, self.over = pause, threading.Event()
        self.lock, self.got, self.lost = threading.Lock(), collections.Counter(), []
        self.threads = [threading.Thread(target=self.ask) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        while not self.over.wait(self.pause):
            connection = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=10)
            try:
                connection.request("GET", self.place.path + "/courses")
                answer = connection.getresponse()
                answer.read()
                who = answer.headers.get("X-Release") or answer.headers.get("X-Revision", "none")
                told = who, answer.status
            except (OSError, http.client.HTTPException) as error:
                with self.lock:
                    self.lost.append(f"{time.time():.2f} {error!r}")
            else:
                with self.lock:
                    self.got[told] += 1
                    if told[1] >= 502:
                        self.lost.append(f"{time.time():.2f} {told}")
            finally:
                connection.close()

    def count(self, release):
        with self.lock:
            return sum(count for (name, _), count in self.got.items() if name == release)

    def since(self):
        """Forgets what was counted before."""
        with self.lock:
            self.got.clear()
            self.lost.clear()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
