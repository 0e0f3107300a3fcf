"""What GitHub answers instead of doing what was asked."""

DOCUMENTATION = "https://docs.github.com/rest"


class Refused(Exception):
    """`violation` says that the request itself is wrong, not only unlucky: a client never sends
    such a one, whatever state GitHub is in."""

    def __init__(self, status, message, violation=False, headers=(), **more):
        super().__init__(message)
        self.status, self.violation, self.headers = status, violation, dict(headers)
        self.body = {
            "message": message, "documentation_url": DOCUMENTATION, "status": str(status), **more
        }


def absent():
    return Refused(404, "Not Found")


def invalid(resource, field, code="invalid", message=None, violation=False):
    """Validation failed, of one field. `code` is GitHub's: missing_field, already_exists, …"""
    error = {"resource": resource, "field": field, "code": code}
    if message:
        error["message"] = message
    words = "Validation Failed" if not violation else f"Invalid request.\n\n{message or field}"
    return Refused(422, words, violation, errors=[error])
