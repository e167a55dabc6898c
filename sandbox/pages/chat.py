from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sandbox.pages.policy import own_page
from sandbox.telegram import bot


@require_safe
@own_page
def page(request: HttpRequest) -> HttpResponse:
    me = bot.as_user()
    context = {
        "bot_name": me["first_name"],
        "bot_username": me["username"],
        "store_name": settings.STORE_NAME,
        "admin_url": f"/{settings.ADMIN_PATH}/",
    }
    return render(request, "sandbox/chat.html", context)
