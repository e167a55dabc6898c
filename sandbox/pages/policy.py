"""What a page of the sandbox may load: its own files, and nothing written into the page."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

View = Callable[..., HttpResponse]


def own_page(view: View) -> View:
    @wraps(view)
    def answer(request: HttpRequest, **path: str) -> HttpResponse:
        response = view(request, **path)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response["Cache-Control"] = "no-store"
        return response

    return answer
