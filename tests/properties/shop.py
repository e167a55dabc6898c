"""The shop of the random runs: a small world, both stand-ins, a clock that only the run moves."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import pytest
from django.db import connection, transaction
from django.utils import timezone
from telegram.request import RequestData

from accounts.models import Customer
from accounts.services.customers import TelegramProfile, register_customer
from core.errors import DomainError
from core.models import OutboxMessage, StoreSettings, store_settings
from operations import sweep as sweeping
from orders.models import Order
from payments import gateways
from payments.models import Payment
from telegram_bot import client
from telegram_bot.undelivered import undelivered_orders
from tests.bank import Bank, connect_in_process
from tests.bot.in_process import Driver, InProcessRequest
from tests.properties.power import Power, PowerCut
from tests.properties.quick import QuickLook
from tests.properties.tally import Tally
from tests.properties.town import Town

T = TypeVar("T")
BEGINNING = datetime(2026, 11, 22, 8, tzinfo=UTC)
PATIENCE = 14
"""Sweeps in a row until nothing is late any more: 70 s, or 7 min while the gateway is away."""


class Troubles(logging.Handler):
    """Exceptions that the shop caught and wrote to its log: nothing here may raise one."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.found.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


class Line(httpx.BaseTransport):
    """The way to the gateway: what happens behind it is not the shop's work."""

    def __init__(self, power: Power, transport: httpx.BaseTransport) -> None:
        self.power, self.transport = power, transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self.power.off():
            return self.transport.handle_request(request)


class TelegramLine(InProcessRequest):
    def __init__(self, power: Power) -> None:
        super().__init__()
        self.power = power

    def recover(self) -> None:
        self._faults.clear()

    def _call(self, path: str, data: RequestData | None) -> tuple[int, bytes]:
        with self.power.off():
            return super()._call(path, data)


class Shop:
    """`town` is who lives here and what is sold; each run begins with it and is undone."""

    def __init__(self, patch: pytest.MonkeyPatch, settings: Any, tally: Tally) -> None:
        self.tally = tally
        self.power = Power()
        self.troubles = Troubles()
        self.bank: Bank = connect_in_process(patch, settings)
        self.telegram = TelegramLine(self.power)
        self.gateway_is_away = False
        self.town = Town(BEGINNING)
        patch.setattr(timezone, "now", lambda: self.town.now)
        # A loaded machine must not decide how far a sweep comes.
        patch.setattr(sweeping, "STEP_SECONDS", 3600.0)
        patch.setattr(client, "build_request", lambda **_: self.telegram)
        self._lay_line(patch)
        StoreSettings.objects.create(pk=1, voucher_pause_minutes=1, expiries_before_pause=5)
        self.driver = Driver()
        self.away: Customer | None = None  # has blocked the bot
        self.town.settle_down(self.driver)
        self.quick = QuickLook(BEGINNING)

    def _lay_line(self, patch: pytest.MonkeyPatch) -> None:
        transport = gateways.transport_factory()
        build = gateways._GATEWAYS["pakasir"]
        assert transport is not None

        def punctual() -> Any:
            gateway: Any = build()
            patience = replace(gateway.retries, now=lambda: self.town.now)
            return replace(gateway, retries=patience)

        patch.setattr(gateways, "transport_factory", lambda: Line(self.power, transport))
        patch.setitem(gateways._GATEWAYS, "pakasir", punctual)

    @property
    def now(self) -> datetime:
        return self.town.now

    @contextmanager
    def undone(self) -> Iterator[None]:
        """A run: what it does is rolled back. The shop's durable transactions may run inside."""
        with ExitStack() as stack:
            self.town.now = BEGINNING
            self.gateway_is_away = False
            self.away = None
            self.power.statements_left = None
            self.telegram.recover()
            self.troubles.found.clear()
            logging.getLogger().addHandler(self.troubles)
            stack.callback(logging.getLogger().removeHandler, self.troubles)
            for alias in ("default", "audit"):
                block = transaction.atomic(using=alias)
                block._from_testcase = True  # as in Django's own test cases
                stack.enter_context(block)
                stack.callback(transaction.set_rollback, True, using=alias)
            stack.enter_context(connection.execute_wrapper(self.power))
            yield

    def act(self, deed: str, work: Callable[[], T]) -> T | None:
        """Let the shop do something; None when it refused, or died on the way."""
        try:
            with self.power.on():
                result = work()
        except DomainError:
            self.tally.count(deed, "refused")
            return None
        except PowerCut:
            self.tally.count(deed, "cut")
            return None
        self.tally.count(deed, "done")
        return result

    def block_bot(self, customer: Customer) -> None:
        self.driver.post(f"/sandbox/api/users/{customer.pk}/block/")
        self.away = customer

    def unblock_bot(self) -> None:
        """Who has blocked the bot takes it back and writes to it."""
        if self.away is None:
            return
        self.driver.post(f"/sandbox/api/users/{self.away.pk}/unblock/")
        profile = TelegramProfile(id=self.away.pk, first_name=self.away.name, language_code="id")
        if self.act("write again", lambda: register_customer(profile=profile)) is not None:
            self.away = None

    def sweep(self) -> None:
        self.act("sweep", lambda: sweeping.sweep(now=self.now))

    def catch_up(self) -> None:
        """Sweep until nothing waits that should be done by now."""
        for _ in range(PATIENCE):
            self.sweep()
            if not self._is_behind():
                break
            self.town.later(seconds=30 if self.gateway_is_away else 5)

    def _is_behind(self) -> bool:
        first = self._first_end()
        return (
            OutboxMessage.objects.pending().exists()
            or Payment.objects.unapplied().exists()
            or bool(undelivered_orders(now=self.now, limit=1))
            or (first is not None and first <= self.now)
        )

    def _first_end(self) -> datetime | None:
        """When the time and the grace of the first open order or deposit are over."""
        deposits = Payment.objects.open().filter(order=None).values_list("expires_at")
        ends = Order.objects.pending().values_list("expires_at").union(deposits, all=True)
        return min((end + store_settings().expiry_grace for (end,) in ends), default=None)

    def pass_time(self, span: timedelta) -> None:
        """Let time pass while the shop is at work; it sweeps whenever an order's time is over."""
        end = self.now + span
        while self.now < end:
            self.town.now = min(end, self._next_moment(end))
            self.catch_up()
            if self._is_behind():
                break  # it never will be done: the next look says so
        self.town.now = max(self.town.now, end)

    def _next_moment(self, end: datetime) -> datetime:
        first = self._first_end()
        return end if first is None else max(first, self.now + timedelta(seconds=30))

    def stand_still(self, span: timedelta) -> None:
        """Let time pass while no process of the shop runs."""
        self.town.now += span
        self.catch_up()
