"""The part of an update that needs the database; it runs in a worker thread, in one hop."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Customer
from accounts.services.customers import (
    TelegramProfile,
    mark_blocked,
    register_customer,
    set_role,
)
from telegram_bot import keyboards
from telegram_bot.client import bot_id
from telegram_bot.processed import claim_update, finish_update, person_lock
from telegram_bot.requests import BotRequest, RequestKind
from telegram_bot.screens import Screen
from telegram_bot.shortcuts import language_of
from telegram_bot.updates import Incoming

logger = logging.getLogger(__name__)

Dispatch = Callable[[BotRequest], Screen | None]


@contextmanager
def fresh_connections() -> Iterator[None]:
    """A unit of work of a thread that lives on: a connection that dropped heals with the next."""
    _close_old_connections()
    try:
        yield
    finally:
        _close_old_connections()


def _close_old_connections() -> None:
    # Inside a test's transaction it would close the connection under it.
    if not connection.in_atomic_block:
        close_old_connections()


def handle(incoming: Incoming, dispatch: Dispatch) -> Screen | None:
    """Answer an update once, under its person's lock; None: silence, or it was handled before."""
    now = timezone.now()
    with fresh_connections(), person_lock(incoming.profile.id):
        if not claim_update(bot_id=bot_id(), update_id=incoming.update_id, now=now):
            logger.info("update handled before", extra={"update": incoming.update_id})
            return None
        try:
            request = _request(incoming, now)
            return dispatch(request) if request is not None else None
        finally:
            finish_update(bot_id=bot_id(), update_id=incoming.update_id, now=timezone.now())


def _request(incoming: Incoming, now: datetime) -> BotRequest | None:
    customer, is_new = _customer(incoming, now)
    if customer is None:
        return None
    return BotRequest(
        update_id=incoming.update_id,
        kind=incoming.kind,
        customer=customer,
        is_new=is_new,
        chat_id=incoming.chat_id,
        is_private=incoming.is_private,
        message_id=incoming.message_id,
        text=incoming.text,
        command=incoming.command,
        path=incoming.path,
        now=now,
    )


def _customer(incoming: Incoming, now: datetime) -> tuple[Customer | None, bool]:
    """Return who this is. Only a private chat makes a customer: in groups anybody may write."""
    if not incoming.is_private or incoming.kind == RequestKind.INLINE:
        return Customer.objects.filter(pk=incoming.profile.id).first(), False
    customer, is_new = register_customer(profile=incoming.profile)
    return _with_admin_role(customer, now), is_new


def _with_admin_role(customer: Customer, now: datetime) -> Customer:
    """Make a customer of ADMIN_USER_IDS an admin."""
    if customer.is_admin or customer.pk not in settings.ADMIN_USER_IDS:
        return customer
    return set_role(
        customer_id=customer.pk,
        role="is_admin",
        value=True,
        actor="setting:ADMIN_USER_IDS",
        source="bot",
        now=now,
    )


def promote_admins(now: datetime) -> None:
    """Make the known customers of ADMIN_USER_IDS admins; others become one when they register."""
    for customer in Customer.objects.filter(pk__in=settings.ADMIN_USER_IDS, is_admin=False):
        _with_admin_role(customer, now)


def note_membership(profile: TelegramProfile, *, is_blocked: bool) -> None:
    """Mark a customer who blocked the bot, or take the mark away."""
    with fresh_connections():
        if is_blocked:
            mark_blocked(customer_id=profile.id, now=timezone.now())
        elif Customer.objects.filter(pk=profile.id).exists():
            register_customer(profile=profile)


def apology(profile: TelegramProfile) -> Screen:
    """Return what a person sees when something of ours broke; the database may be what broke."""
    with translation.override(language_of(_known_or_guest(profile))):
        text = _("😔 Sorry, something went wrong on our side. Please try again in a moment.")
        return Screen(text, buttons=keyboards.only_menu(), replaces=False)


def _known_or_guest(profile: TelegramProfile) -> Customer:
    guest = Customer(pk=profile.id, telegram_language=profile.language_code)
    try:
        with fresh_connections():
            return Customer.objects.filter(pk=profile.id).first() or guest
    except DatabaseError:
        return guest
