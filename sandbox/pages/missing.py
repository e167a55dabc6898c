"""An address where nothing is: a page that leads on, instead of Django's list of patterns."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

from sandbox.pages.policy import own_page


@csrf_exempt
@own_page
def page(request: HttpRequest, rest: str) -> HttpResponse:
    """Being everywhere, it also does what Django does where nothing is: add the slash."""
    if not rest.endswith("/") and request.method in {"GET", "HEAD"} and _is_page(f"/{rest}/"):
        return HttpResponseRedirect(f"/{rest}/")
    return render(request, "sandbox/missing.html", status=404)


def _is_page(path: str) -> bool:
    try:
        return resolve(path).func is not page
    except Resolver404:
        return False
