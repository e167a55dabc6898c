"""From a request to the screen that answers it."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.urls import Resolver404, resolve
from django.utils import translation

from core.errors import DomainError
from telegram_bot import reply_keyboards, sessions
from telegram_bot.commands import COMMANDS, find_label
from telegram_bot.paths import find_number
from telegram_bot.requests import BotRequest, RequestKind
from telegram_bot.screens import Screen
from telegram_bot.sessions import Session
from telegram_bot.shortcuts import URLCONF, language_of
from telegram_bot.views import catalog, checkout, deposits
from telegram_bot.views.help import help_page
from telegram_bot.views.refusals import banned, invalid_button, refuse

logger = logging.getLogger(__name__)
# Views of what was asked for last, by its name in the session; they take the session's data.
INPUTS: dict[str, Callable[..., Screen]] = {
    checkout.VOUCHER_CODE: checkout.enter_voucher,
    deposits.AMOUNT: deposits.enter_amount,
}


def dispatch(request: BotRequest) -> Screen | None:
    """Answer in the customer's language; None is silence.

    A customer is served in private only. Whatever a button carries, the answer is a screen.
    """
    if not request.is_private:
        return None
    with translation.override(language_of(request.customer)):
        screen = _answer(replace(request, text=_storable(request.text)))
        return None if screen is None else reply_keyboards.renew(request, screen)


def _storable(text: str) -> str:
    """Drop what PostgreSQL cannot hold: NUL and half surrogates."""
    return text.replace("\0", "").encode(errors="ignore").decode()


def _answer(request: BotRequest) -> Screen | None:
    if request.kind == RequestKind.INLINE:
        return None
    if request.customer.is_banned:
        return banned(request)
    if request.kind == RequestKind.CALLBACK:
        return _press(request)
    if request.kind == RequestKind.COMMAND:
        return _command(request)
    return _read(request)


def _press(request: BotRequest) -> Screen:
    try:
        match = resolve(request.path, URLCONF)
    except Resolver404:
        logger.info("a button that is none of ours", extra={"customer": request.customer.pk})
        return invalid_button(request)
    return _act(request, match.func, match.kwargs)


def _command(request: BotRequest) -> Screen | None:
    """An unknown command gets no message, so that nobody learns which ones exist for others."""
    view = COMMANDS.get(request.command)
    return None if view is None else _act(request, view)


def _read(request: BotRequest) -> Screen:
    """Typed text: a label of the keyboard, the awaited input, a product's number, else help."""
    text = request.text.strip()
    label = find_label(text)
    if label is not None:
        return _act(request, label)
    session = sessions.get_session(request.customer.pk)
    if session.awaiting in INPUTS:
        return _take_input(request, session)
    return _act(request, _number_or_help(text))


def _take_input(request: BotRequest, session: Session) -> Screen:
    """Try the text as the answer; if it is none but a product's number, open the product."""
    view = INPUTS[session.awaiting]
    try:
        screen = view(request, **session.data)
    except DomainError as error:
        number = find_number(request.text.strip())
        if number is not None and catalog.is_number(number):
            return _act(request, _number_or_help(request.text.strip()))
        # Still awaited: a mistyped code may be typed again.
        return refuse(error, request, session.data)
    sessions.clear(request.customer.pk, seen=session)
    return screen


def _number_or_help(text: str) -> Callable[..., Screen]:
    number = find_number(text)
    if number is None:
        return help_page
    return lambda request: catalog.by_number(request, number)


def _act(
    request: BotRequest, view: Callable[..., Screen], arguments: Mapping[str, Any] | None = None
) -> Screen:
    """Begin something new: what was asked before is no longer awaited."""
    arguments = arguments or {}
    if sessions.get_session(request.customer.pk).awaiting:
        sessions.clear(request.customer.pk)
    try:
        return view(request, **arguments)
    except DomainError as error:
        logger.info("refused", extra={"customer": request.customer.pk, "why": error.code})
        return refuse(error, request, arguments)
