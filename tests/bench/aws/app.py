"""What a task runs when its definition has no command: an application that answers its release.

HOST, PORT    where it listens
RELEASE       what it answers, also in the header X-Release
ERRORS        the share of its answers that are 500 (health checks are not among them)
DELAY         seconds that an answer takes
UNHEALTHY     health checks get 503
BOOT          seconds until it listens
CRASH         it ends after so many seconds with status 1; 0 is before it listens

It ends with its standard input, so that it never outlives who started it.
"""

import http.server
import json
import os
import random
import sys
import threading
import time

RELEASE = os.environ.get("RELEASE", "unknown")
ERRORS, DELAY = (float(os.environ.get(name) or 0) for name in ("ERRORS", "DELAY"))
UNHEALTHY = bool(os.environ.get("UNHEALTHY"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        status = 200
        if self.path.startswith("/health"):
            status = 503 if UNHEALTHY else 200
        else:
            time.sleep(DELAY)
            status = 500 if random.random() < ERRORS else 200
        body = json.dumps({"release": RELEASE, "task": os.environ["HOST"]}).encode()
        self.send_response(status)
        self.send_header("X-Release", RELEASE)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    threading.Thread(target=end_with_input, daemon=True).start()
    if "CRASH" in os.environ:
        seconds = float(os.environ["CRASH"] or 0)
        if seconds == 0:
            os._exit(1)
        threading.Timer(seconds, os._exit, (1,)).start()
    time.sleep(float(os.environ.get("BOOT") or 0))
    Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
