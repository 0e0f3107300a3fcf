"""What runs in the containers and on the machines of the bench.

    application.py FD REVISION NAME bad|good

Serves the listening socket FD; says in X-Revision and X-Instance who answers. A bad one fails every
third request, but says that it is well. On SIGTERM it ends what it has begun.
"""

import http.server
import itertools
import signal
import socket
import sys
import threading

_, FD, REVISION, NAME, KIND = sys.argv
NUMBERS = itertools.count(1)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        well = self.path == "/health" or KIND != "bad" or next(NUMBERS) % 3 != 0
        body = f"{REVISION}\n".encode()
        self.send_response(200 if well else 500)
        self.send_header("X-Revision", REVISION)
        self.send_header("X-Instance", NAME)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, listening):
        super().__init__(listening.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_name, self.server_port = listening.getsockname()


server = Server(socket.socket(fileno=int(FD)))
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(0.05)
server.server_close()
