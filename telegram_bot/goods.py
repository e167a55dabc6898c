"""How goods look in a chat: to copy in the message, or as files where a message will not do."""

import re
from dataclasses import dataclass

from orders.goods import Goods, goods_of
from orders.models import Order
from telegram_bot.lengths import utf16_length
from telegram_bot.screens import Document

# What is left of a message's 4,096 units after the order's data, two names of 255 among them.
ROOM = 3_000
# Telegram drops or replaces these in a message, or combines them away: such goods go by file.
_ALTERED = re.compile("[\x00-\x09\x0b-\x1f\x7f\u2028-\u202e\u0333\u033f\u030a]")


@dataclass(frozen=True, repr=False)
class DeliveredGoods:
    """`items` are shown in the message, `documents` come as files; one of both per product."""

    items: list[Goods]
    documents: tuple[Document, ...]

    @property
    def have_contents(self) -> bool:
        return any(item.contents for item in self.items)

    @property
    def have_lines(self) -> bool:
        """Tell whether some content has several lines: then an empty line parts the items."""
        return _have_lines(self.items)


def present_goods(order: Order) -> DeliveredGoods:
    """Decide how each of the order's goods is shown; raise OrderNotFound for an unpaid order."""
    goods = goods_of(order=order)
    contents = [content for item in goods for content in item.contents]
    if _fit_a_message(contents):
        return DeliveredGoods(goods, tuple(_files(goods)))
    text = Document(f"{order.invoice_id}.txt", text_file(goods).encode())
    return DeliveredGoods([], (text, *_files(goods)))


def _fit_a_message(contents: list[str]) -> bool:
    if any(_ALTERED.search(content) or content != content.strip() for content in contents):
        return False
    return sum(utf16_length(content) + 2 for content in contents) <= ROOM


def _files(goods: list[Goods]) -> list[Document]:
    return [
        Document(item.document.name, item.document.data)
        for item in goods
        if item.document is not None
    ]


def text_file(goods: list[Goods]) -> str:
    """One item a line; an empty line between them when an item has several lines."""
    contents = [content for item in goods for content in item.contents]
    return ("\n\n" if _have_lines(goods) else "\n").join(contents)


def _have_lines(goods: list[Goods]) -> bool:
    return any("\n" in content for item in goods for content in item.contents)
