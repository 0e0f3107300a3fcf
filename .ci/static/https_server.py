#!/usr/bin/env python3
"""https_server.py CERTIFICATE KEY GIT_ROOT: what `check` talks to on the loopback interface.

Answers /hello over TLS and serves the repositories under GIT_ROOT with git's own http-backend, for
reading and writing. Answers
DNS questions for A records of dns.test with 127.0.0.1, and says that every other name does not exist.
Prints the port that it chose for HTTPS and the address where it answers DNS, or "none" where it may not
take port 53. Stops when its standard input is closed.
"""
import http.server
import os
import socket
import ssl
import subprocess
import sys
import threading

CERTIFICATE, KEY, GIT_ROOT = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        if self.path == "/hello":
            self.reply(200, [("Content-Type", "text/plain")], b"hello\n")
        else:
            self.backend(b"")

    def do_POST(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            self.backend(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            return
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        self.backend(body)

    def backend(self, body):
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": GIT_ROOT, "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)), "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            "GIT_CONFIG_KEY_1": "http.receivepack", "GIT_CONFIG_VALUE_1": "true"}
        done = subprocess.run(["git", "http-backend"], input=body, env=environment,
                              stdout=subprocess.PIPE, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
        status = next((int(value[:3]) for name, value in headers if name == "Status"), 200)
        self.reply(status, [pair for pair in headers if pair[0] != "Status"], content)

    def reply(self, status, headers, content):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def answer_names(server):
    while True:
        question, sender = server.recvfrom(512)
        end = question.index(b"\0", 12) + 5
        asked = question[12:end]
        found = asked == b"\3dns\4test\0\0\1\0\1"
        known = asked.startswith(b"\3dns\4test\0")
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if found else b""
        flags = b"\x81\x80" if known else b"\x81\x83"
        counts = b"\0\1" + (b"\0\1" if found else b"\0\0") + b"\0\0\0\0"
        server.sendto(question[:2] + flags + counts + asked + record, sender)


def main():
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    names, address = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "127.77.0.53"
    try:
        names.bind((address, 53))
        threading.Thread(target=answer_names, args=(names,), daemon=True).start()
    except OSError:
        address = "none"
    print(web.server_address[1], address, flush=True)
    sys.stdin.read()


main()
