"""Browsing: categories, lists, a product."""

import zlib
from dataclasses import replace
from typing import Any

from django.core.paginator import Paginator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Product, ProductPhoto
from orders import selectors
from orders.selectors import PAGE_SIZE, Offer, Page
from telegram_bot import keyboards
from telegram_bot.overlong import fits_caption
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Button, Buttons, Photo, Screen
from telegram_bot.shortcuts import path_to, render


def categories(request: BotRequest, page: int = 1) -> Screen:
    found = Paginator(selectors.list_categories(), PAGE_SIZE).get_page(page)
    entries = Page(list(found), found.number, found.paginator.num_pages)
    return render(
        request,
        "telegram/categories.html",
        {"page": entries},
        buttons=keyboards.categories(entries),
    )


def category(request: BotRequest, category_id: int, page: int) -> Screen:
    found = selectors.list_products(customer=request.customer, page=page, category_id=category_id)
    back = path_to("categories", 1)
    turn = keyboards.turn_pages(found, lambda at: path_to("category", category_id, at), back)
    return _offer_list(request, "telegram/category.html", found, turn)


def products(request: BotRequest, page: int = 1) -> Screen:
    found = selectors.list_products(customer=request.customer, page=page)
    turn = keyboards.turn_pages(found, lambda at: path_to("products", at), path_to("menu"))
    return _offer_list(request, "telegram/products.html", found, turn)


def best_sellers(request: BotRequest, page: int = 1) -> Screen:
    found = selectors.best_sellers(customer=request.customer, page=page)
    turn = keyboards.turn_pages(found, lambda at: path_to("best_sellers", at), path_to("menu"))
    buyers = (Button(_("Top Buyers"), path_to("top_buyers")),)
    return _offer_list(request, "telegram/best_sellers.html", found, buyers, turn)


def _offer_list(
    request: BotRequest, template: str, page: Page[Offer], *below: tuple[Button, ...]
) -> Screen:
    first = page.items[0].product if page.items else None
    context = {"page": page, "category": first.category if first else None}
    buttons: Buttons = (*keyboards.offers(page.items), *below)
    return render(request, template, context, buttons=buttons)


def top_buyers(request: BotRequest) -> Screen:
    back = Button(_("BACK"), path_to("best_sellers", 1))
    context = {"buyers": selectors.top_buyers()}
    return render(request, "telegram/top_buyers.html", context, buttons=((back,),))


def stock(request: BotRequest, page: int = 1) -> Screen:
    found = selectors.stock_list(customer=request.customer, page=page)
    turn = keyboards.turn_pages(found, lambda at: path_to("stock", at), path_to("menu"))
    return render(request, "telegram/stock.html", {"page": found}, buttons=(turn,))


def product(request: BotRequest, product_id: int, quantity: int | None = None) -> Screen:
    """Show a product; a quantity that cannot be had becomes the nearest one that can."""
    offer = selectors.get_offer(product_id=product_id, customer=request.customer)
    if offer.is_sold_out:
        return _sold_out(request, offer)
    chosen = min(max(quantity or 1, 1), offer.most)
    card = _card(
        request,
        offer,
        {"quantity": chosen, "subtotal": offer.price.unit * chosen},
        buttons=keyboards.product(offer, chosen),
        notice="" if quantity in {None, chosen} else _quantity_notice(offer),
    )
    # A quantity button of a card too long for a caption is below the text: its photo stands above.
    is_below_photo = quantity is not None and not fits_caption(card.text)
    return replace(card, photo=None) if is_below_photo else card


def _sold_out(request: BotRequest, offer: Offer) -> Screen:
    similar = selectors.similar_in_stock(product=offer.product, customer=request.customer)
    return _card(request, offer, {"similar": similar}, buttons=keyboards.sold_out(similar))


def _card(request: BotRequest, offer: Offer, context: dict[str, Any], **fields: Any) -> Screen:
    context = {"offer": offer, "product": offer.product, **context}
    photo = product_photo(offer.product)
    return render(request, "telegram/product.html", context, photo=photo, **fields)


def _quantity_notice(offer: Offer) -> str:
    return ngettext(
        "You can buy 1 at a time.", "You can buy 1 to %(most)s at a time.", offer.most
    ) % {"most": offer.most}


def product_photo(product: Product) -> Photo | None:
    picture = ProductPhoto.objects.filter(product=product).first()
    if picture is None:
        return None
    data = bytes(picture.image)
    # Another picture has another key, so that a remembered file id never shows the old one.
    return Photo(data, picture.telegram_file_id, f"product:{product.pk}:{zlib.crc32(data):08x}")


def by_number(request: BotRequest, number: int) -> Screen:
    found = selectors.find_product_by_number(number=number)
    if found is None:
        return unknown_number(request, number)
    return product(request, found.pk)


def unknown_number(request: BotRequest, number: int) -> Screen:
    return render(
        request,
        "telegram/unknown_number.html",
        {"number": number},
        buttons=keyboards.menu(),
    )


def is_number(number: int) -> bool:
    return selectors.find_product_by_number(number=number) is not None
