"""Load tools against a shop of our own on the loopback: Locust, k6, JMeter, wrk."""
import contextlib
import re
import shutil
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from java_tools import maven
from workshop import Report

LOCUST = "2.47.0"
K6 = "1.0.0"
COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"


class Answer(BaseHTTPRequestHandler):
    """`/order` is sold, `/refused` is not; the server counts both."""
    protocol_version = "HTTP/1.1"
    # Head and body go out together: two small packets would wait for each other's receipt.
    wbufsize = -1

    def do_GET(self):
        refused = self.path == "/refused"
        with self.server.counting:
            self.server.answered[refused] += 1
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"shop")

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A load tool that leaves in the middle is none."""


@contextlib.contextmanager
def a_shop():
    server = Server(("127.0.0.1", 0), Answer)
    server.counting = threading.Lock()
    server.answered = {False: 0, True: 0}
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def timings(rows, requests, failures, **more):
    return {"timings": {"rows": rows, "requests": requests, "failures": failures, "checks": 0,
                        "breached": 0, **more}}


def fifteen_and_five(server):
    """What programs/load is written to send, as the server counted it."""
    if server.answered != {False: 15, True: 5}:
        raise RuntimeError(f"the load tool sent {server.answered}")


def locust(shop):
    run = shop.python(f"locust=={LOCUST}") / "locust"
    here = shop.program("load", "locust")
    with a_shop() as server:
        shop.run([run, "-f", "locustfile.py", "--headless", "-u", "1", "-r", "1", "-t", "60s",
                  "--host", server.url, "--csv", "locust"], here, (1,), timeout=90)
        fifteen_and_five(server)
    yield Report("locust", LOCUST, here / "locust_stats.csv", "locust", timings(3, 20, 5))


def k6(shop):
    run = shop.go(f"go.k6.io/k6@v{K6}")
    here = shop.program("load", "k6")
    with a_shop() as server:
        # A threshold that is crossed ends it with 99.
        shop.run([run, "run", "--no-usage-report", "--quiet", "--summary-export", "k6.json",
                  "-e", f"SHOP={server.url}", "orders.js"], here, (99,), timeout=60)
        fifteen_and_five(server)
    yield Report("k6", K6, here / "k6.json", "k6", timings(2, 20, 5, checks=1, breached=1))


def jmeter_home(shop, here):
    """JMeter from Maven's artifacts, laid out as its starter wants it."""
    jars = here / "jars"
    maven(shop, here, f"{COPY_DEPENDENCIES}:copy-dependencies", f"-DoutputDirectory={jars}")
    home = here / "home"
    for folder in ("bin", "lib/ext", "lib/junit"):
        (home / folder).mkdir(parents=True)
    for jar in jars.iterdir():
        own = jar.name.startswith("ApacheJMeter_")
        shutil.copy(jar, home / ("lib/ext" if own else "lib"))
        if jar.name.startswith("ApacheJMeter-"):
            shutil.move(home / "lib" / jar.name, home / "bin/ApacheJMeter.jar")
        elif jar.name.startswith("ApacheJMeter_config"):
            with zipfile.ZipFile(jar) as configuration:
                configuration.extractall(home, [name for name in configuration.namelist()
                                                if name.startswith("bin/")])
    return home


def jmeter(shop):
    java = shop.command("java")
    here = shop.program("load", "jmeter")
    version = re.search(r"ApacheJMeter</artifactId>\s*<version>([^<]+)",
                        (here / "pom.xml").read_text()).group(1)
    home = jmeter_home(shop, here)
    plan = (here / "orders.jmx").read_text()
    for form in ("csv", "xml"):
        with a_shop() as server:
            (here / "orders.jmx").write_text(plan.replace("PORT", str(server.server_address[1])))
            shop.run([java, f"-Djava.util.prefs.userRoot={here}", "-jar",
                      home / "bin/ApacheJMeter.jar", "-n", "-t", "orders.jmx", "-l",
                      f"jmeter.{form}", f"-Jjmeter.save.saveservice.output_format={form}"], here,
                     timeout=120)
            fifteen_and_five(server)
        yield Report("jmeter", version, here / f"jmeter.{form}", f"jmeter-{form}",
                     timings(3, 20, 5))


def wrk(shop):
    run = shop.command("wrk")
    version = re.search(r"\d+(\.\d+)+", shop.run([run, "--version"], shop.root, (0, 1))).group(0)
    here = shop.program("load", "wrk")
    for name, refused in (("order", False), ("refused", True)):
        with a_shop() as server:
            said = shop.run([run, "-t1", "-c2", "-d1s", "--latency", f"{server.url}/{name}"], here)
            sent = server.answered[refused]
        file = here / f"{name}.txt"
        file.write_text(said.replace(server.url, "http://127.0.0.1:8000"))
        count = int(re.search(r"(\d+) requests in", said).group(1))
        if not sent - 2 <= count <= sent:  # what was under way at the end is not counted
            raise RuntimeError(f"wrk counts {count} requests, and the server {sent}")
        yield Report("wrk", version, file, "wrk", timings(1, count, count if refused else 0))


TOOLS = {"locust": locust, "k6": k6, "jmeter": jmeter, "wrk": wrk}
