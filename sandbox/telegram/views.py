import logging
import socket
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from sandbox.telegram import bot, faults
from sandbox.telegram.bodies import with_whole_body
from sandbox.telegram.dispatch import call
from sandbox.telegram.errors import ApiError
from sandbox.telegram.files import DOWNLOAD_BYTES, find_by_path
from sandbox.telegram.params import read_params

logger = logging.getLogger(__name__)


@csrf_exempt
def method(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """`/bot<token>/<method>`: answers `{"ok": true, "result": …}` or the error as JSON."""
    if token != bot.token():
        return _refuse(ApiError(401, "Unauthorized"))
    try:
        result = call(name, read_params(with_whole_body(request)))
    except ApiError as error:
        if error.code == faults.DROP_CONNECTION:
            return _drop_connection(request, error)
        return _refuse(error)
    except DatabaseError:
        # As the original when it is in trouble: an error a bot can read, not a page.
        logger.exception("call failed", extra={"call": name})
        return _refuse(ApiError(500, "Internal Server Error"))
    return JsonResponse({"ok": True, "result": result})


def _refuse(error: ApiError) -> HttpResponse:
    return JsonResponse(error.as_json(), status=error.code)


def _drop_connection(request: HttpRequest, error: ApiError) -> HttpResponse:
    """No answer at all where the server shows its socket (gunicorn); a bare 504 elsewhere."""
    connection: Any = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    return HttpResponse(error.description, status=504, content_type="text/plain")


def file(request: HttpRequest, token: str, path: str) -> HttpResponse:  # noqa: ARG001 - a view
    """`/file/bot<token>/<file_path>`: the bytes of a file."""
    if token != bot.token():
        return _refuse(ApiError(401, "Unauthorized"))
    found = find_by_path(path)
    if found is None or found.size > DOWNLOAD_BYTES:
        return _refuse(ApiError(404, "Not Found"))
    return HttpResponse(bytes(found.content), content_type="application/octet-stream")


@csrf_exempt
def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:  # noqa: ARG001 - a view
    return _refuse(ApiError(404, "Not Found"))
