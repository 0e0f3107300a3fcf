"""Compute Engine's images of boot disks, and the newest one of a family."""

import uuid

from contract import Refused

ROOT = "https://www.googleapis.com/compute/v1/projects/"
NUMBERS = iter(range(3000000000000000001, 3000000000001000001))


class Images:
    def __init__(self, compute):
        self.compute, self.images = compute, {}

    def answers(self):
        return {
            "compute.images.get": lambda call: self.image(call, call["image"]),
            "compute.images.getFromFamily": self.of_family,
            "compute.images.insert": self.insert, "compute.images.delete": self.delete,
        }

    def path(self, call, name):
        return f"{call['project']}/global/images/{name}"

    def image(self, call, name):
        return self.compute.find(self.images, self.path(call, name))

    def of_family(self, call):
        folder = self.path(call, "")
        for path, image in reversed(self.images.items()):
            if path.startswith(folder) and image.get("family") == call["family"]:
                return image
        return self.compute.find(self.images, self.path(call, f"family/{call['family']}"))

    def insert(self, call):
        path = self.path(call, call.body["name"])
        if path in self.images:
            raise Refused(
                "ALREADY_EXISTS", f"The resource 'projects/{path}' already exists", 409)
        image = {
            **call.body, "kind": "compute#image", "id": str(next(NUMBERS)), "status": "READY",
            "selfLink": f"{ROOT}{path}",
            "labelFingerprint": uuid.uuid4().hex[:11] + "=",
        }
        return self.compute.operate(
            call, "insert", path, lambda: self.images.setdefault(path, image))

    def delete(self, call):
        self.image(call, call["image"])
        path = self.path(call, call["image"])
        return self.compute.operate(call, "delete", path, lambda: self.images.pop(path, None))
