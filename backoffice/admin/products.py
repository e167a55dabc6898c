"""Products: what they are, what they cost, whether they are shown, and how many are left."""
# ruff: noqa: ARG002 (the signatures are Django's)

import hashlib
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.cache import get_conditional_response
from django.utils.html import format_html

from backoffice.admin.base import button
from backoffice.admin.product_list import ProductColumns
from backoffice.admin.product_panels import product_panels
from backoffice.confirm import Question, ask
from backoffice.forms.rows import ProductForm
from backoffice.panels import Lead, Panel, Timeline
from backoffice.refusals import sentence
from backoffice.staff import signed
from backoffice.stock_pages import add_stock_page
from catalog.errors import ProductUnavailable
from catalog.models import Product, ProductPhoto
from catalog.selectors import smallest_free_number
from catalog.services.photos import remove_photo, upload_photo
from catalog.services.pricing import price_for
from catalog.services.products import (
    create_product,
    put_on_sale,
    take_off_sale,
    update_product,
)


@admin.register(Product)
class ProductAdmin(ProductColumns):
    form = ProductForm
    actions_detail = ("add_stock", "take_off", "put_back")
    actions_row = ("add_stock",)
    fieldsets = (
        ("What it is", {"fields": ("number", "name", "description", "category", "kind", "photo")}),
        (
            "Price",
            {
                "fields": (
                    "customer_price",
                    "reseller_price",
                    "discount_percent",
                    "discount_amount",
                ),
                "description": "A discount of the product replaces that of its category. Give a"
                " percentage or an amount, or leave both empty.",
            },
        ),
        ("Stock", {"fields": ("low_stock_threshold", "per_order_limit", "quota")}),
        ("In the chat", {"fields": ("is_active", "sold_shown")}),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Product | None = None
    ) -> tuple[str, ...]:
        # Goods of one kind make no sense as another.
        has_goods = obj is not None and (obj.stock.exists() or obj.order_items.exists())
        return ("kind",) if has_goods else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"number": smallest_free_number(), **super().get_changeform_initial_data(request)}

    def lead(self, request: HttpRequest, row: Product) -> Lead | None:
        """Lead to adding stock: first of all while there is none."""
        if row.deleted_at is not None or not self.has_add_stock_permission(request):
            return None
        if row.stock.available().exists():
            return Lead(button="Add stock", url=_stock_address(row), is_for_phones=True)
        return Lead(
            "It has nothing to sell",
            ["Customers cannot buy it before you add stock. It takes a minute."],
            button="Add stock",
            url=_stock_address(row),
        )

    def response_add(
        self, request: HttpRequest, obj: Product, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead on to the product's own page: what is missing now is stock."""
        if "_addanother" in request.POST or not self.has_view_permission(request, obj):
            return super().response_add(request, obj, post_url_continue)
        text = "“{}” is there, but it has nothing to sell yet."
        if self.has_add_stock_permission(request):
            text += ' <a class="qc-link" href="{}">Add stock</a>'
        messages.success(request, format_html(text, obj.name, _stock_address(obj)))
        return HttpResponseRedirect(_address(obj))

    def panels(self, request: HttpRequest, row: Product) -> list[Panel | Timeline]:
        return product_panels(row)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Product:
        return create_product(**values, **signed(request))

    def update_row(self, request: HttpRequest, row: Product, changes: dict[str, Any]) -> None:
        update_product(product_id=row.pk, changes=changes, **signed(request))

    def save_model(
        self, request: HttpRequest, obj: Product, form: ProductForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if form.new_photo is not None:
            upload_photo(product_id=obj.pk, image=form.new_photo, **signed(request))
        elif form.removes_photo:
            remove_photo(product_id=obj.pk, **signed(request))
        _warn_of_free_goods(request, obj)

    def get_urls(self) -> list[URLPattern]:
        photo = path(
            "<int:product_id>/photo/",
            self.admin_site.admin_view(self.photo_view),
            name="catalog_product_photo",
        )
        return [photo, *super().get_urls()]

    def photo_view(self, request: HttpRequest, product_id: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise Http404
        photo = get_object_or_404(ProductPhoto, product=product_id)
        image = bytes(photo.image)
        answer = HttpResponse(image, content_type=photo.content_type)
        answer["Cache-Control"] = "private, no-cache"
        answer["ETag"] = etag = f'"{hashlib.sha256(image).hexdigest()[:32]}"'
        # A list shows many: what the browser has already is not sent again.
        return get_conditional_response(request, etag=etag, response=answer) or answer

    def has_add_stock_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.add_stockitem")

    def has_take_off_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.delete_product")

    def has_put_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.change_product")

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Offer what makes sense for this product: on sale or off."""
        allowed = super().get_actions_detail(request, object_id)
        states = Product.objects.filter(pk=object_id).values_list("deleted_at", "is_active")
        deleted_at, is_active = states.first() or (None, True)
        hidden = set()
        if deleted_at is not None:
            hidden |= {"add_stock", "take_off"}
        if deleted_at is None and is_active:
            hidden.add("put_back")
        return [each for each in allowed if each.method.__name__ not in hidden]

    @button(
        description="Add stock", url_path="add-stock", icon="add_box", permissions=["add_stock"]
    )
    def add_stock(self, request: HttpRequest, object_id: int) -> HttpResponse:
        product = get_object_or_404(Product, pk=object_id)
        if product.deleted_at is not None:
            messages.error(request, sentence(ProductUnavailable(product.pk)))
            return HttpResponseRedirect(_address(product))
        return add_stock_page(request, self, product)

    @button(
        description="Take off sale",
        url_path="take-off-sale",
        icon="remove_shopping_cart",
        permissions=["take_off"],
    )
    def take_off(self, request: HttpRequest, object_id: int) -> HttpResponse:
        product = get_object_or_404(Product.objects.existing(), pk=object_id)

        def do() -> str:
            take_off_sale(product_id=product.pk, **signed(request))
            return f"“{product.name}” is off sale. You can put it back on sale at any time."

        sentences = (
            "Customers no longer find it in the chat, and old buttons say kindly that it is gone.",
            f"Its orders and its stock stay. Number {product.number} becomes free for another.",
        )
        question = Question(
            title=f"Take “{product.name}” off sale?",
            sentences=sentences,
            button="Take off sale",
            do=do,
            back=_address(product),
        )
        return ask(self, request, product, question)

    @button(
        description="Put back on sale",
        url_path="put-on-sale",
        icon="storefront",
        permissions=["put_back"],
    )
    def put_back(self, request: HttpRequest, object_id: int) -> HttpResponse:
        product = get_object_or_404(Product, pk=object_id)

        def do() -> str:
            put_on_sale(product_id=product.pk, **signed(request))
            return f"“{product.name}” is on sale again."

        question = Question(
            title=f"Put “{product.name}” back on sale?",
            sentences=(f"Customers find it in the chat at once, as number {product.number}.",),
            button="Put back on sale",
            do=do,
            back=_address(product),
            is_dangerous=False,
        )
        return ask(self, request, product, question)


def _address(product: Product) -> str:
    return reverse("admin:catalog_product_change", args=[product.pk])


def _stock_address(product: Product) -> str:
    return reverse("admin:catalog_product_add_stock", args=[product.pk])


def _warn_of_free_goods(request: HttpRequest, product: Product) -> None:
    """A discount as large as the price is seldom meant."""
    for is_reseller, who in ((False, "customers"), (True, "resellers")):
        price = price_for(product=product, is_reseller=is_reseller)
        if price.unit == Decimal(0) < price.list_price:
            messages.warning(request, f"With this discount {who} pay Rp0 for “{product.name}”.")
            return
