"""Processes of the bench: each in a group of its own, ended by its id, and gone with the bench."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 2.0
PYTHON = getattr(sys, "_base_executable", sys.executable)


def tied(command):
    """A command of somebody else does not watch its input; the kernel ends it with its parent."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *command] if setpriv else command


class Process:
    """`command`: of somebody else, or None for a Python script of ours that ends with its input."""

    def __init__(self, command=None, script=None, environment=(), output=subprocess.DEVNULL):
        self.asked_at = None
        self.child = subprocess.Popen(
            tied(command) if command else [PYTHON, "-S", "-E", script],
            env={"PATH": os.environ.get("PATH", os.defpath), **dict(environment)},
            stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def status(self):
        """None while it runs."""
        return self.child.poll()

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, number)

    def ask(self):
        """Asks it to end; asked again after the grace, it is killed. True when it is gone."""
        if self.status is not None:
            self.close()
            return True
        if self.asked_at is None:
            self.asked_at = time.monotonic()
            self.signal(signal.SIGTERM)
        elif time.monotonic() - self.asked_at > GRACE_SECONDS:
            self.signal(signal.SIGKILL)
        return False

    def close(self):
        for stream in (self.child.stdin, self.child.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()

    def end(self):
        """At once, with whatever it has started."""
        self.signal(signal.SIGKILL)
        self.child.wait()
        self.close()
