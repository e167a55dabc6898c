"""The back office speaks English, whatever language the browser asks for."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

LANGUAGE = "en"


class BackofficeLanguageMiddleware:
    """Its own texts are English: Django's beside them would be a second language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(f"/{settings.ADMIN_PATH}/"):
            return self.get_response(request)
        with translation.override(LANGUAGE):
            return self.get_response(request)
