"""Who is told what becomes of a rollout: real receivers, over TLS, with the faults that receivers have."""

import datetime
import http.server
import json
import os
import pwd
import re
import signal
import ssl
import subprocess
import threading
import time

import pytest

from conftest import end

SECRET = "T0SECRET/B0SECRET/x7y8z9"
KEY = "R0UT1NGKEYR0UT1NGKEY"
ME = pwd.getpwuid(os.geteuid()).pw_name


class Receiver:
    """An HTTPS server that keeps what it is sent; `answers` are given first, then 200."""

    def __init__(self, folder, tls=True):
        self.got, self.answers, self.lock = [], [], threading.Lock()
        self.let_go = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with receiver.lock:
                    receiver.got.append(
                        {"time": time.time(), "path": self.path, "body": json.loads(body),
                         "key": self.headers["Idempotency-Key"],
                         "type": self.headers["Content-Type"]}
                    )
                    status, words, headers = (
                        receiver.answers.pop(0) if receiver.answers else (200, b"ok", {})
                    )
                if status == "hang":
                    receiver.let_go.wait(120)
                    status = 200
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(words))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(words)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that went away

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.scheme = "https" if tls else "http"
        if tls:
            self.ca = certificate(folder)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.ca, folder / "key.pem")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"{self.scheme}://127.0.0.1:{self.port}/{path}"

    def of(self, path):
        with self.lock:
            return [each for each in self.got if each["path"].startswith(f"/{path}")]

    def close(self):
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()


def certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", folder / "key.pem", "-out", folder / "ca.pem"], check=True, capture_output=True
    )
    return folder / "ca.pem"


@pytest.fixture
def receiver(tmp_path):
    receiver = Receiver(tmp_path)
    yield receiver
    receiver.close()


def watch_closely(site):
    """Two rounds with a failure are a breach, whatever the old release does."""
    site.config("every: 1s, requests: 20}",
                "every: 1s, requests: 20, max_failures: 1, runbook: docs/courses.md}")


def configure(site, *entries):
    lines = "".join(f"  - {entry}\n" for entry in entries)
    site.config(
        "incidents: {on_rollback: P2}",
        "incidents: {on_rollback: P2}\nenv: [HOOK, TEAMS, MAIL, PD_KEY]\nnotify:\n" + lines,
    )


def environment(receiver, **more):
    return {
        "SSL_CERT_FILE": str(receiver.ca),
        "HOOK": receiver.url(f"hook/{SECRET}"),
        "TEAMS": receiver.url(f"teams/{SECRET}"),
        "MAIL": receiver.url(f"mail/{SECRET}"),
        "PD_KEY": KEY,
        **more,
    }


def of_type(site, name):
    return [event for event in site.events() if event["type"] == name]


def wait_until(holds, what, seconds=60):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"waited {seconds} s until {what}"
        time.sleep(0.1)


def end_softly(child):
    try:
        return child.communicate(timeout=30)
    finally:
        end(child)


def moment(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


def no_secret(site, *texts):
    for text in texts:
        assert "SECRET" not in text and KEY not in text, text
    whole = site.scene.git(
        "log", "-p", "--format=%B", "release-ledger", cwd=site.scene.directory / "learn.git"
    )
    assert "SECRET" not in whole and KEY not in whole


# ---- what receivers accept ---------------------------------------------------------------------


def check_text_object(item, most):
    assert set(item) <= {"type", "text", "emoji"} and item["type"] in ("plain_text", "mrkdwn")
    assert "emoji" not in item or item["type"] == "plain_text"
    assert 1 <= len(item["text"]) <= most
    if item["type"] == "plain_text":
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", item["text"]), item


def check_slack(body):
    """Incoming webhooks: blocks of Block Kit with their limits."""
    assert set(body) == {"text", "mrkdwn", "unfurl_links", "blocks"} and body["text"]
    assert 1 <= len(body["blocks"]) <= 50
    for block in body["blocks"]:
        kind = block["type"]
        if kind == "header":
            assert set(block) == {"type", "text"} and block["text"]["type"] == "plain_text"
            check_text_object(block["text"], 150)
        elif kind == "section":
            assert set(block) in ({"type", "text"}, {"type", "fields"})
            if "text" in block:
                check_text_object(block["text"], 3000)
            else:
                assert 1 <= len(block["fields"]) <= 10
                for field in block["fields"]:
                    check_text_object(field, 2000)
        elif kind == "context":
            assert set(block) == {"type", "elements"} and 1 <= len(block["elements"]) <= 10
            for element in block["elements"]:
                check_text_object(element, 2000)
        else:
            raise AssertionError(f"{kind} is no block that is sent")


def check_teams(body):
    """The message of a workflow's webhook with one Adaptive Card of version 1.4."""
    assert set(body) == {"type", "attachments"} and body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard" and card["version"] == "1.4"
    assert set(card) <= {"$schema", "type", "version", "fallbackText", "body", "actions"}
    for block in card["body"]:
        assert set(block) == {"type", "inlines"} and block["type"] == "RichTextBlock"
        for run in block["inlines"]:
            assert run["type"] == "TextRun" and run["text"]
            assert set(run) <= {"type", "text", "size", "weight", "isSubtle", "fontType"}
    assert len(json.dumps(body).encode()) < 28 * 1024


def check_pagerduty(body):
    """An event of the Events API v2."""
    assert body["routing_key"] == KEY and 1 <= len(body["dedup_key"]) <= 255
    assert body["event_action"] in ("trigger", "resolve")
    if body["event_action"] == "resolve":
        assert set(body) == {"routing_key", "event_action", "dedup_key"}
        return
    assert set(body) <= {"routing_key", "event_action", "dedup_key", "payload", "client",
                         "client_url", "links"}
    payload = body["payload"]
    assert set(payload) <= {"summary", "source", "severity", "timestamp", "component", "group",
                            "class", "custom_details"}
    assert 1 <= len(payload["summary"]) <= 1024 and payload["source"]
    assert payload["severity"] in ("critical", "error", "warning", "info")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", payload["timestamp"])


def check_json(body):
    assert set(body) == {
        "schema", "id", "thread", "event", "time", "late", "subject", "text", "why", "rollout",
        "release", "commit", "environment", "stage", "phase", "step", "targets",
        "targets_not_listed", "asked", "commands", "runbooks", "link"}
    assert body["schema"] == "sluice.notice/1" and "\n" not in body["subject"]
    assert body["subject"] in body["text"]


# ---- what is told ------------------------------------------------------------------------------


def test_a_release_that_is_taken_back_is_told_in_every_format(site, receiver):
    configure(
        site,
        '{on: [started, rolled_back], webhook: "${env.HOOK}", format: slack}',
        '{on: rolled_back, webhook: "${env.TEAMS}", format: teams}',
        '{on: rolled_back, webhook: "${env.MAIL}"}',
        f'{{on: rolled_back, pagerduty: "${{env.PD_KEY}}", endpoint: "{receiver.url("pager")}"}}',
    )
    watch_closely(site)
    site.release("2-search")
    site.must("rollout", "v2", env=environment(receiver))
    assert [each["key"] for each in receiver.got] == ["notify/v2-production-1/started/env.HOOK"]
    receiver.got.clear()
    site.release("3-recommend")
    done = site.must("rollout", "v3", code=1, env=environment(receiver))
    assert site.serving() == {"v2"}
    slack, teams = receiver.of("hook"), receiver.of("teams")
    (mail,), (pager,) = receiver.of("mail"), receiver.of("pager")
    assert len(slack) == 2 and len(teams) == 1
    assert {each["type"] for each in receiver.got} == {"application/json"}
    for each in slack:
        check_slack(each["body"])
    check_teams(teams[0]["body"])
    check_pagerduty(pager["body"])
    check_json(mail["body"])
    told = mail["body"]
    assert told["event"] == "rolled_back" and told["targets"] == [
        {"target": "web", "from": "v3", "to": "v2"}]
    assert "courses on web" in told["why"] and told["runbooks"] == ["docs/courses.md"]
    assert told["commands"] == ["sluice show v3-production-1"] and told["late"] is False
    assert "v3 was taken back in production" in json.dumps(slack[1]["body"])
    sent = of_type(site, "notify.sent")
    assert {event["body"]["receiver"] for event in sent} == {
        "env.HOOK", "env.TEAMS", "env.MAIL", "env.PD_KEY"}
    # Nothing was begun while the way back was under way.
    story = [event for event in site.events() if event.get("rollout") == "v3-production-1"]
    state = {event["body"]["state"]["phase"]: moment(event)
             for event in reversed(story) if "state" in event["body"]}
    ended = moment(of_type(site, "rollout.rolled-back")[0])
    assert state["reverting"] <= ended
    for each in receiver.got:
        assert not state["reverting"] < each["time"] < ended, (each, state, ended)
    no_secret(site, done.out, done.err)
    site.must("verify")


def test_a_question_is_told_once_however_often_it_is_resumed(site, receiver):
    configure(
        site,
        '{on: [waiting, denied], webhook: "${env.MAIL}"}',
        f'{{on: waiting, pagerduty: "${{env.PD_KEY}}", endpoint: "{receiver.url("pager")}"}}',
    )
    site.config("    steps:", f"    approval: {{from: [{ME}, somebody]}}\n    steps:")
    site.release("2-search")
    site.must("rollout", "v2", "--wait", "suspend", env=environment(receiver))
    (mail,), (pager,) = receiver.of("mail"), receiver.of("pager")
    assert mail["body"]["asked"] == {"from": [ME, "somebody"], "count": 1}
    assert mail["body"]["commands"] == [
        "sluice approve v2-production-1", "sluice deny v2-production-1"]
    for _ in range(3):
        site.must("resume", env=environment(receiver))
    assert len(receiver.got) == 2
    site.must("deny", "v2-production-1", "--yes", "--comment", "exams")
    site.must("resume", code=1, env=environment(receiver))
    assert [each["body"]["event"] for each in receiver.of("mail")] == ["waiting", "denied"]
    triggered, resolved = receiver.of("pager")
    check_pagerduty(resolved["body"])
    assert resolved["body"]["event_action"] == "resolve"
    assert resolved["body"]["dedup_key"] == triggered["body"]["dedup_key"]
    site.must("resume", env=environment(receiver))
    assert len(receiver.got) == 4
    site.must("verify")


def test_what_could_not_be_sent_is_sent_by_the_next_process(site, receiver):
    configure(site, '{on: waiting, webhook: "${env.MAIL}"}')
    site.config("    steps:", "    approval: {from: [somebody]}\n    steps:")
    site.release("2-search")
    nobody = environment(receiver, MAIL="https://127.0.0.1:9/" + SECRET)  # refuses connections
    done = site.must("rollout", "v2", "--wait", "suspend", env=nobody)
    assert "notify: env.MAIL was not told that v2 waits for an approval" in done.err, done
    again = site.must("resume", env=nobody)
    assert "env.MAIL was not told" in again.err
    (failed,) = of_type(site, "notify.failed")
    assert failed["body"]["receiver"] == "env.MAIL" and "127.0.0.1" in failed["body"]["why"]
    site.must("resume", env=environment(receiver))
    (mail,) = receiver.of("mail")
    assert mail["body"]["late"] is True and mail["body"]["id"] == failed["body"]["notice"]
    site.must("resume", env=environment(receiver))
    assert len(receiver.got) == 1
    no_secret(site, done.out, done.err, again.out, again.err)
    site.must("verify")


def test_one_that_was_killed_while_sending_is_followed_with_the_same_key(site, receiver):
    configure(site, '{on: waiting, webhook: "${env.HOOK}", format: slack}')
    site.config("    steps:", "    approval: {from: [somebody]}\n    steps:")
    site.release("2-search")
    receiver.answers = [("hang", b"", {})]
    child = site.start("rollout", "v2", env=environment(receiver))
    try:
        until = time.monotonic() + 60
        while not receiver.got and time.monotonic() < until:
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
    finally:
        end(child)
    site.must("resume", env=environment(receiver))
    first, second = receiver.of("hook")
    assert first["key"] == second["key"]
    assert "told late" in json.dumps(second["body"])
    site.must("verify")


def test_watch_tells_what_nobody_told_and_once(site, receiver):
    """Nobody could be told while it waited; then one was killed after it had gone back."""
    configure(site, '{on: [waiting, rolled_back], webhook: "${env.MAIL}"}')
    site.config("    steps:", f"    approval: {{from: [{ME}]}}\n    steps:")
    watch_closely(site)
    site.scene.commit("2-search")
    site.release("3-recommend")
    nobody = environment(receiver, MAIL="https://127.0.0.1:9/" + SECRET)
    site.must("rollout", "v3", "--wait", "suspend", env=nobody)
    watch = site.start("watch", "--every", "1s", env=environment(receiver))
    try:
        wait_until(lambda: receiver.of("mail"), "the question is told")
        time.sleep(3)
        assert [each["body"]["event"] for each in receiver.of("mail")] == ["waiting"]
        assert receiver.of("mail")[0]["body"]["late"] is True
    finally:
        watch.send_signal(signal.SIGTERM)
        _, err = end_softly(watch)
    assert "telling what nobody was told" in err
    receiver.answers = [("hang", b"", {})]
    site.must("approve", "v3-production-1", "--yes")
    child = site.start("resume", "--wait", "block", env=environment(receiver))
    try:
        wait_until(lambda: len(receiver.of("mail")) == 2, "it is being told")
        child.send_signal(signal.SIGKILL)
    finally:
        end(child)
    assert site.serving() == {"v1"}
    watch = site.start("watch", "--every", "1s", env=environment(receiver))
    try:
        wait_until(lambda: len(of_type(site, "notify.sent")) == 2, "the end is told again")
        time.sleep(3)
        events = [each["body"]["event"] for each in receiver.of("mail")]
        assert events == ["waiting", "rolled_back", "rolled_back"]
        first, second = receiver.of("mail")[1:]
        assert first["key"] == second["key"], "who was told twice can know that it is the same"
        assert second["body"]["late"] is True
    finally:
        watch.send_signal(signal.SIGTERM)
        _, err = end_softly(watch)
    no_secret(site, err)
    site.must("verify")


@pytest.mark.parametrize("fault", ["hang", "broken", "throttled", "refused", "no TLS"])
def test_no_receiver_stops_or_slows_a_way_back(site, receiver, fault):
    configure(site, '{on: [started, rolled_back], webhook: "${env.MAIL}"}')
    answers = {
        "hang": [("hang", b"", {})] * 9,
        "broken": [(500, b"https://leak/" + SECRET.encode(), {})] * 9,
        "throttled": [(429, b"", {"Retry-After": "1"})] * 2,
    }
    receiver.answers = answers.get(fault, [])
    more = {"refused": {"MAIL": f"https://127.0.0.1:9/{SECRET}"},
            "no TLS": {"SSL_CERT_FILE": "/nonexistent"}}
    watch_closely(site)
    site.scene.commit("2-search")
    site.release("3-recommend")
    done = site.must("rollout", "v3", code=1, env=environment(receiver, **more.get(fault, {})))
    since = time.time() - moment(of_type(site, "rollout.rolled-back")[0])
    assert site.serving() == {"v1"}
    assert since < 15, f"{since:.1f} s from the end of the way back to the end of the process"
    events = {event["body"]["event"] for event in of_type(site, "notify.failed")}
    if fault == "throttled":
        assert not events and [e["body"]["event"] for e in receiver.got] == [
            "started"] * 3 + ["rolled_back"]
        assert receiver.got[1]["time"] - receiver.got[0]["time"] >= 1
    else:
        assert events == {"started", "rolled_back"}, done
        assert done.err.count("notify: env.MAIL was not told that v3 was taken back") == 1, done
    no_secret(site, done.out, done.err)
    site.must("verify")




def test_who_cannot_be_told_does_not_keep_a_release_back(site, receiver):
    configure(site, '{on: started, webhook: "${env.HOOK}"}', '{on: started, webhook: "${env.MAIL}"}')
    site.release("2-search")
    plain = {**environment(receiver), "HOOK": "http://hooks.example/" + SECRET, "MAIL": ""}
    done = site.must("rollout", "v2", env=plain)
    assert "nothing is told to env.HOOK: it is not https://" in done.err
    assert "nothing is told to env.MAIL: it is not set in this environment" in done.err
    assert site.serving() == {"v2"}
    no_secret(site, done.out, done.err)
    # A mistake in it refuses a rollout, but no way back.
    site.config("{on: started, webhook: \"${env.HOOK}\"}", "{on: strated, webhook: \"${env.HOOK}\"}")
    refused = site.must("rollout", "v3", code=2)
    assert "not `strated`; did you mean `started`?" in refused.err
    back = site.must("rollback", "--yes", "--reason", "parents call")
    assert "notify: " in back.err and "`strated`" in back.err
    assert site.serving() == {"v1"}
