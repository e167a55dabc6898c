"""Customers see that QRIS is disturbed before they pick it; staff read what happened to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Product
from core.models import OutboxMessage
from payments.models import GatewaySilence, Payment, PaymentStatus, StatusReport
from telegram_bot.messages import render_message
from telegram_bot.shortcuts import path_to
from tests.bot.flows import settle_stand_ins
from tests.bot.harness import BotHarness, Chat
from tests.world import World

DISTURBED = {"id": "QRIS sedang gangguan", "en": "QRIS has a disruption"}
LANGUAGES = pytest.mark.parametrize("language", ["id", "en"])


@pytest.fixture(autouse=True)
def _stand_ins(settings: Any) -> None:
    settle_stand_ins(settings)


@pytest.fixture
def product(world: World) -> Product:
    return world.product(number=101, price=50_000, stock=5)


def chat_in(shop_bot: BotHarness, world: World, language: str) -> Chat:
    return shop_bot.chat_of(world.customer(balance=60_000, language=language))


def see_summary(chat: Chat, product: Product) -> None:
    chat.send(str(product.number))
    chat.press_path(path_to("summary", product.pk, 1))


def fall_silent() -> None:
    now = timezone.now()
    GatewaySilence.objects.create(gateway="pakasir", since=now, last_call_at=now)


class TestSummary:
    @LANGUAGES
    def test_says_so_before_qris_is_picked(
        self, shop_bot: BotHarness, world: World, product: Product, language: str
    ) -> None:
        chat = chat_in(shop_bot, world, language)
        fall_silent()
        see_summary(chat, product)
        assert DISTURBED[language] in chat.last.text
        assert "QRIS" in chat.last.labels

    @LANGUAGES
    def test_says_nothing_after_the_recovery(
        self, shop_bot: BotHarness, world: World, product: Product, language: str
    ) -> None:
        chat = chat_in(shop_bot, world, language)
        fall_silent()
        GatewaySilence.objects.all().delete()
        see_summary(chat, product)
        assert DISTURBED[language] not in chat.last.text

    def test_says_nothing_of_a_silence_that_nobody_saw_lately(
        self, shop_bot: BotHarness, world: World, product: Product
    ) -> None:
        chat = chat_in(shop_bot, world, "id")
        long_ago = timezone.now() - timedelta(minutes=3)
        GatewaySilence.objects.create(gateway="pakasir", since=long_ago, last_call_at=long_ago)
        see_summary(chat, product)
        assert DISTURBED["id"] not in chat.last.text


class TestUnpaidOrder:
    @LANGUAGES
    @pytest.mark.parametrize("is_down", [True, False])
    def test_says_so_beside_its_ways_to_pay(
        self,
        shop_bot: BotHarness,
        world: World,
        product: Product,
        language: str,
        is_down: bool,
    ) -> None:
        chat = chat_in(shop_bot, world, language)
        see_summary(chat, product)
        chat.press("QRIS")
        payment = Payment.objects.get()
        Payment.objects.update(status=PaymentStatus.CANCELLED, ended_at=timezone.now())
        if is_down:
            fall_silent()
        chat.press_path(path_to("order", payment.order_id))
        assert (DISTURBED[language] in chat.last.text) == is_down


class TestStaff:
    def read(self, kind: str, language: str, world: World, **references: Any) -> str:
        message = OutboxMessage(kind=kind, references=references)
        outgoing = render_message(message, world.customer(language=language))
        assert outgoing is not None
        return outgoing.screen.text

    @pytest.mark.parametrize(
        ("language", "title"), [("id", "QRIS tidak menjawab"), ("en", "QRIS does not answer")]
    )
    def test_of_an_outage(self, world: World, language: str, title: str) -> None:
        since = datetime(2026, 11, 22, 3, 5, tzinfo=UTC)
        text = self.read(
            "staff_gateway_down", language, world, gateway="pakasir", since=since.isoformat()
        )
        assert title in text
        assert "10:05 WIB" in text

    @pytest.mark.parametrize(
        ("language", "title"), [("id", "QRIS sudah menjawab lagi"), ("en", "QRIS answers again")]
    )
    def test_of_its_end(self, world: World, language: str, title: str) -> None:
        since = datetime(2026, 11, 22, 3, 5, tzinfo=UTC)
        until = since + timedelta(minutes=12)
        times = {"since": since.isoformat(), "until": until.isoformat()}
        text = self.read("staff_gateway_up", language, world, gateway="pakasir", **times)
        assert title in text
        assert "10:05 WIB" in text
        assert "10:17 WIB" in text

    @pytest.mark.parametrize(
        ("why", "word"), [("key", "PAKASIR_API_KEY"), ("refused", "menolak beberapa")]
    )
    def test_of_refusals(self, world: World, why: str, word: str) -> None:
        text = self.read("staff_gateway_refuses", "id", world, gateway="pakasir", why=why)
        assert word in text

    def report(self, **fields: Any) -> StatusReport:
        now = timezone.now()
        return StatusReport.objects.create(
            day=now.date(), started_at=now, finished_at=now, **fields
        )

    def test_of_a_night_on_which_all_agree(self, world: World) -> None:
        report = self.report(checked=12)
        text = self.read("staff_report", "id", world, report_id=report.pk)
        assert text.strip() == (
            "🌙 Pencocokan malam: 12 pembayaran, semuanya cocok dengan gateway."
        )

    def test_of_differences(self, world: World) -> None:
        entries = [{"remains": False}, {"remains": True}, {"remains": None}]
        report = self.report(checked=12, unanswered=1, differences=entries)
        text = self.read("staff_report", "id", world, report_id=report.pk)
        for line in ("Dicocokkan: 12", "Berbeda: 2", "Masih berbeda: 1", "Tanpa jawaban: 1"):
            assert line in text
