"""A page that asks before something happens, and does it when the button is pressed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from backoffice.refusals import sentence
from core.errors import DomainError

if TYPE_CHECKING:
    from backoffice.admin.base import ShopAdmin


@dataclass(frozen=True)
class Question:
    """`sentences` say what will happen; `do` does it and returns what to say afterwards."""

    title: str
    sentences: Sequence[str]
    button: str
    do: Callable[[], str]
    back: str
    done: str = ""
    is_dangerous: bool = True


def page_context(
    model_admin: "ShopAdmin[Any]", request: HttpRequest, row: Model
) -> dict[str, Any]:
    """Return what every page of a row needs: its place in the back office, its menus."""
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": row,
        "row_title": model_admin.row_title(row),
    }


def ask(
    model_admin: "ShopAdmin[Any]", request: HttpRequest, row: Model, question: Question
) -> HttpResponse:
    if request.method != "POST":
        context = page_context(model_admin, request, row)
        context |= {"title": question.title, "question": question}
        return render(request, "backoffice/confirm.html", context)
    try:
        messages.success(request, question.do())
    except DomainError as refusal:
        messages.error(request, sentence(refusal))
        return HttpResponseRedirect(question.back)
    return HttpResponseRedirect(question.done or question.back)
