"""A page that asks something with a form, and does it when the button is pressed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from backoffice.confirm import page_context
from backoffice.refusals import sentence
from core.errors import DomainError

if TYPE_CHECKING:
    from backoffice.admin.base import ShopAdmin

FormT = TypeVar("FormT", bound=forms.Form)


@dataclass(frozen=True)
class FormPage(Generic[FormT]):
    """`sentences` say what will happen; `do` does it and returns what to say afterwards."""

    title: str
    sentences: Sequence[str]
    button: str
    do: Callable[[FormT], str]
    back: str


def ask_with_form(
    model_admin: "ShopAdmin[Any]",
    request: HttpRequest,
    row: Model,
    form: FormT,
    page: FormPage[FormT],
) -> HttpResponse:
    """Show the form; a refusal of the service is said above it, with all that was typed."""
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, page.do(form))
            return HttpResponseRedirect(page.back)
        except DomainError as refusal:
            form.add_error(None, sentence(refusal))
    context = page_context(model_admin, request, row)
    context |= {"title": page.title, "page": page, "form": form}
    return render(request, "backoffice/form_page.html", context)
