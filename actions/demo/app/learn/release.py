"""Which release answers: in every response's header, and at /health."""

from django.conf import settings
from django.http import HttpResponse


def name_release(get_response):
    """Middleware: say in each response, errors included, which release made it."""

    def middleware(request):
        response = get_response(request)
        response["X-Release"] = settings.RELEASE
        return response

    return middleware


def health(request):
    return HttpResponse(settings.RELEASE + "\n", content_type="text/plain")
