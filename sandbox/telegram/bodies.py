"""Bodies without a Content-Length: some libraries upload in chunks, which Django does not read."""

from io import BytesIO

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest

from sandbox.telegram.errors import ApiError
from sandbox.telegram.files import UPLOAD_BYTES

_BODY_BYTES = UPLOAD_BYTES + 2**20


def with_whole_body(request: HttpRequest) -> HttpRequest:
    """The same request with its body in memory, where the server has put the chunks together.

    Such a server says so by `wsgi.input_terminated` (gunicorn does; runserver cannot).
    """
    is_chunked = request.headers.get("Transfer-Encoding", "").lower() == "chunked"
    if not is_chunked or not isinstance(request, WSGIRequest):
        return request
    if not request.environ.get("wsgi.input_terminated"):
        raise ApiError(411, "Length Required")
    body = request.environ["wsgi.input"].read(_BODY_BYTES + 1)
    if len(body) > _BODY_BYTES:
        raise ApiError(413, "Request Entity Too Large")
    whole = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    return WSGIRequest({**request.environ, **whole})
