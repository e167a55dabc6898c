"""The page that adds stock to a product."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from backoffice.confirm import page_context
from backoffice.display import ranges
from backoffice.forms.stock import FileStockForm, SharedStockForm, UniqueStockForm
from backoffice.refusals import sentence
from backoffice.staff import signed
from backoffice.uploads import Contents
from catalog.errors import ImportRefused, ProductUnavailable
from catalog.models import Product, ProductKind
from catalog.services.stock import ImportReport, import_file, import_stock

if TYPE_CHECKING:
    from backoffice.admin.base import ShopAdmin

FORMS: dict[str, type[forms.Form]] = {
    ProductKind.UNIQUE: UniqueStockForm,
    ProductKind.SHARED: SharedStockForm,
    ProductKind.FILE: FileStockForm,
}


@sensitive_post_parameters()
def add_stock_page(
    request: HttpRequest, model_admin: "ShopAdmin[Any]", product: Product
) -> HttpResponse:
    form = FORMS[product.kind](request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, _import(request, product, form))
        except (ImportRefused, ProductUnavailable) as refusal:
            form.add_error(None, _refusal_text(refusal, getattr(form, "contents", None)))
        else:
            return HttpResponseRedirect(_product_url(product))
    context = page_context(model_admin, request, product) | {
        "title": f"Add stock to {product.name}",
        "product": product,
        "form": form,
        "has_version": product.stock.available().exists(),
        "done_url": _product_url(product),
    }
    return render(request, "backoffice/add_stock.html", context)


def _product_url(product: Product) -> str:
    return reverse("admin:catalog_product_change", args=[product.pk])


def _import(request: HttpRequest, product: Product, form: forms.Form) -> str:
    if isinstance(form, UniqueStockForm):
        contents = form.contents
        report = import_stock(product_id=product.pk, contents=contents.texts, **signed(request))
        return unique_report(report, contents)
    if isinstance(form, SharedStockForm):
        contents_of_all = [form.cleaned_data["text"]]
        report = import_stock(product_id=product.pk, contents=contents_of_all, **signed(request))
    else:
        file = form.cleaned_data["file"]
        report = import_file(
            product_id=product.pk, data=file.read(), file_name=file.name, **signed(request)
        )
    if report.imported:
        return f"Every buyer of “{product.name}” receives the new version from now on."
    return "This is the version that is sold already: nothing changed."


def unique_report(report: ImportReport, contents: Contents) -> str:
    """Say exactly what became of an upload, without any of it."""
    said = f"{_items(report.imported)} imported"
    said += f" as batch {report.batch.pk}." if report.batch else "."
    if not report.duplicates:
        return f"{said} Ready to be bought in the chat." if report.imported else said
    where = [contents.positions[position - 1] for position in report.duplicates]
    unit = contents.unit if len(where) == 1 else f"{contents.unit}s"
    return (
        f"{said} {_items(len(where))} skipped, already in the product or twice in this upload:"
        f" {unit} {ranges(where)}."
    )


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"


def _refusal_text(refusal: ImportRefused | ProductUnavailable, contents: Contents | None) -> str:
    if isinstance(refusal, ImportRefused) and refusal.position and contents:
        where = f"{contents.unit.capitalize()} {contents.positions[refusal.position - 1]}"
        return f"{where} {refusal.fault}. Nothing was stored."
    return sentence(refusal)
