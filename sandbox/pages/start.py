"""`/`: where a shop owner begins."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sandbox.pages.policy import own_page


@require_safe
@own_page
def page(request: HttpRequest) -> HttpResponse:
    context = {
        "store_name": settings.STORE_NAME,
        "admin_url": f"/{settings.ADMIN_PATH}/",
        "login": settings.SANDBOX_STAFF_LOGIN,
    }
    return render(request, "sandbox/start.html", context)
