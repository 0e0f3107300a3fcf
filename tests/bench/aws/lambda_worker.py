"""A version of a function in a process of its own: lines of {"id", "event"} in, answers out.

    lambda_worker.py        FOLDER and HANDLER (module.function) in the environment

Several events are handled at once. What the function prints does not mix with the answers. It ends
with its standard input.
"""

import importlib
import json
import os
import sys
import threading
import traceback


def built_in(event, context):
    """Of an image of the bench, which has no code: it answers its release."""
    import random
    import time

    time.sleep(float(os.environ.get("DELAY") or 0))
    if random.random() < float(os.environ.get("ERRORS") or 0):
        raise RuntimeError("by the bench")
    release = os.environ.get("RELEASE", "unknown")
    return {"statusCode": 200, "body": release, "headers": {"X-Release": release}}


def find():
    name = os.environ["HANDLER"]
    if not name:
        return built_in
    sys.path.insert(0, os.environ["FOLDER"])
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(module), function)


class Context:
    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")


def handle(function, asked, answer):
    try:
        told = {"result": function(asked["event"], Context())}
        json.dumps(told)
    except BaseException as error:
        trace = traceback.format_exc().splitlines()[-5:]
        told = {"error": {
            "errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace,
        }}
    answer({"id": asked["id"], **told})


def main():
    out, lock = os.fdopen(os.dup(1), "w"), threading.Lock()
    os.dup2(2, 1)

    def answer(words):
        with lock:
            out.write(json.dumps(words) + "\n")
            out.flush()

    broken = None
    try:
        function = find()
    except BaseException as error:
        broken = {"errorMessage": str(error), "errorType": f"Runtime.{type(error).__name__}"}
    for line in sys.stdin:
        asked = json.loads(line)
        if broken:
            answer({"id": asked["id"], "error": broken})
        else:
            threading.Thread(target=handle, args=(function, asked, answer), daemon=True).start()
    os._exit(0)


if __name__ == "__main__":
    main()
