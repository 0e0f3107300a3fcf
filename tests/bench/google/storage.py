"""Cloud Storage (v1): buckets, and objects that are read and written under conditions.

Uploads are "media" and "multipart"; downloads are whole or in ranges, with their hashes.
"""

import base64
import email.parser
import email.policy
import hashlib
import json
import re
import time
from urllib.parse import quote

import google_crc32c
from clock import stamp
from contract import Reader, Refused

CONDITION = "At least one of the pre-conditions you specified did not hold."
PARTS_MOST = 2


def refuse(message, status=400, reason=None):
    code = {404: "NOT_FOUND", 409: "ABORTED", 412: "FAILED_PRECONDITION"}
    raise Refused(code.get(status, "INVALID_ARGUMENT"), message, status, reason)


def coded(data):
    return base64.b64encode(data).decode()


class Storage:
    def __init__(self, bench):
        self.bench, self.buckets, self.generation = bench, {}, 0

    def answers(self):
        test = "testIamPermissions"
        return {
            "storage.buckets.insert": self.insert_bucket,
            "storage.buckets.get": lambda call: self.bucket(call)["resource"],
            f"storage.buckets.{test}": self.test, f"storage.objects.{test}": self.test,
            "storage.objects.get": self.get, "storage.objects.insert": self.insert,
            "storage.objects.list": self.list, "storage.objects.delete": self.delete,
        }

    def forget(self):
        pass

    def bucket(self, call):
        if call["bucket"] not in self.buckets:
            refuse("The specified bucket does not exist.", 404)
        return self.buckets[call["bucket"]]

    def insert_bucket(self, call):
        name = call.body.get("name", "")
        if not re.fullmatch(r"[a-z0-9][-_.a-z0-9]{1,61}[a-z0-9]", name):
            refuse(f"Invalid bucket name: '{name}'")
        if name in self.buckets:
            refuse("Your previous request to create the named bucket succeeded.", 409, "conflict")
        resource = {"kind": "storage#bucket", "name": name, "id": name, "location": "EU",
                    "timeCreated": stamp(), "storageClass": "STANDARD"}
        self.buckets[name] = {"resource": resource, "objects": {}}
        return resource

    def test(self, call):
        self.bucket(call)
        allowed = self.bench.permissions.among(call["permissions"])
        return {"kind": "storage#testIamPermissionsResponse",
                **({"permissions": allowed} if allowed else {})}

    # ---- conditions ------------------------------------------------------------------------------

    def check_conditions(self, call, entry):
        generation = int(entry["resource"]["generation"]) if entry else 0
        match, unlike = call["ifGenerationMatch"], call["ifGenerationNotMatch"]
        if match is not None and match != generation:
            refuse(CONDITION, 412)
        if unlike is not None and unlike == generation:
            refuse(CONDITION, 304 if call.request.method == "GET" else 412)

    def entry(self, call):
        entry = self.bucket(call)["objects"].get(call["object"])
        if entry and call["generation"] not in (None, int(entry["resource"]["generation"])):
            entry = None
        if not entry:
            refuse(f"No such object: {call['bucket']}/{call['object']}", 404)
        self.check_conditions(call, entry)
        return entry

    # ---- reading ---------------------------------------------------------------------------------

    def get(self, call):
        entry = self.entry(call)
        resource, data = entry["resource"], entry["data"]
        if call["alt"] != "media":
            return resource
        headers = {
            "Content-Type": resource["contentType"], "ETag": resource["etag"],
            "X-Goog-Generation": resource["generation"],
            "X-Goog-Hash": f"crc32c={resource['crc32c']},md5={resource['md5Hash']}",
        }
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", call.request.headers.get("range", ""))
        if not span:
            return data, 200, headers
        first, last = int(span[1]), min(int(span[2] or len(data)), len(data) - 1)
        if first > last:
            refuse("Request range not satisfiable", 416, "requestedRangeNotSatisfiable")
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return data[first:last + 1], 206, headers

    def list(self, call):
        objects = self.bucket(call)["objects"]
        if call["delimiter"] or call["matchGlob"]:
            raise Refused("UNIMPLEMENTED", "the bench lists by prefix only", 501)
        names = sorted(name for name in objects if name.startswith(call["prefix"] or ""))
        names = [name for name in names if name > (call["pageToken"] or "")]
        most = min(call["maxResults"] or 1000, 1000)
        more = {"nextPageToken": names[most - 1]} if len(names) > most else {}
        items = [objects[name]["resource"] for name in names[:most]]
        return {"kind": "storage#objects", **({"items": items} if items else {}), **more}

    def delete(self, call):
        self.entry(call)
        del self.bucket(call)["objects"][call["object"]]
        return b"", 204, {}

    # ---- writing ---------------------------------------------------------------------------------

    def parts(self, call):
        """The resource and the bytes of a multipart upload."""
        head = f"Content-Type: {call.request.headers.get('content-type', '')}\r\n\r\n".encode()
        parser = email.parser.BytesParser(policy=email.policy.HTTP)
        message = parser.parsebytes(head + call.request.body)
        parts = list(message.iter_parts()) if message.is_multipart() else []
        if message.get_content_type() != "multipart/related" or len(parts) != PARTS_MOST:
            refuse("Malformed multipart body.")
        if parts[0].get_content_type() != "application/json":
            refuse("Malformed multipart body: its first part is no JSON.")
        try:
            tree = json.loads(parts[0].get_payload(decode=True))
        except ValueError as error:
            refuse(f"Parse Error: {error}")
        tree = Reader(call.method).read({"$ref": "Object"}, tree)
        return tree, parts[1].get_payload(decode=True), parts[1].get_content_type()

    def insert(self, call):
        kind = call["uploadType"]
        if not call.method.upload or kind not in ("media", "multipart"):
            raise Refused("UNIMPLEMENTED", f"the bench has no uploads of type {kind!r}", 501)
        given, data, content = {}, call.request.body, call.request.type()
        if kind == "multipart":
            given, data, content = self.parts(call)
        name = call["name"] or given.get("name")
        if not name or (given.get("name") or name) != name:
            refuse("Required", reason="required")
        objects = self.bucket(call)["objects"]
        self.check_conditions(call, objects.get(name))
        resource = self.describe(call["bucket"], name, data)
        for field in ("md5Hash", "crc32c"):
            if given.get(field, resource[field]) != resource[field]:
                refuse(f"Provided {field} does not match that of the data.")
        for field in ("metadata", "cacheControl", "contentEncoding", "contentDisposition"):
            if field in given:
                resource[field] = given[field]
        resource["contentType"] = given.get("contentType") or content or "application/octet-stream"
        objects[name] = {"resource": resource, "data": data}
        return resource

    def describe(self, bucket, name, data):
        self.generation = generation = max(int(time.time() * 1000000), self.generation + 1)
        link = f"https://www.googleapis.com/storage/v1/b/{bucket}/o/{quote(name, safe='')}"
        crc = google_crc32c.value(data).to_bytes(4, "big")
        return {
            "kind": "storage#object", "id": f"{bucket}/{name}/{generation}", "name": name,
            "bucket": bucket, "generation": str(generation), "metageneration": "1",
            "size": str(len(data)), "md5Hash": coded(hashlib.md5(data).digest()),
            "crc32c": coded(crc), "etag": coded(str(generation).encode()), "selfLink": link,
            "storageClass": "STANDARD", "timeCreated": stamp(), "updated": stamp(),
        }
