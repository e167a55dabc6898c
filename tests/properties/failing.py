"""What goes wrong: the gateway, Telegram, the shop's own processes; and time, which passes."""

from datetime import timedelta
from functools import partial

from django.db import transaction
from hypothesis import strategies as st
from telegram.error import NetworkError, RetryAfter, TelegramError, TimedOut

from core.models import OutboxMessage
from payments.models import Payment, PaymentStatus
from telegram_bot.delivery import LEASE, deliver_outbox
from tests.properties.buying import Buying
from tests.properties.rules import WHICH, step

GATEWAY_CALL = st.sampled_from(["create", "create", "status", "cancel"])
# `wrong_amount` only where it is not the proof of a payment: a gateway that lies there cannot be
# told from one that does not.
GATEWAY_FAULT = st.sampled_from(
    ["timeout", "timeout_after_effect", "429", "500", "html", "empty", "sandbox_flag"]
)
TELEGRAM_FAULTS: list[tuple[TelegramError, bool]] = [
    (TimedOut(), True),
    (TimedOut(), False),
    (NetworkError("Bad Gateway"), False),
    (RetryAfter(timedelta(seconds=30)), False),
]
SEND = st.sampled_from(["sendMessage", "sendPhoto", "sendDocument", "deleteMessage"])
PAUSE = st.sampled_from(
    [timedelta(seconds=5), timedelta(seconds=40), timedelta(minutes=3), timedelta(minutes=12)]
)
DOWNTIME = st.sampled_from([timedelta(minutes=2), timedelta(minutes=20), timedelta(hours=5)])


class Failing(Buying):
    @step(call=GATEWAY_CALL, kind=GATEWAY_FAULT, times=st.integers(1, 3))
    def break_gateway(self, call, kind, times) -> bool:
        self.shop.bank.fail(call, kind, times)
        return True

    @step()
    def gateway_goes_away(self) -> bool:
        if self.shop.gateway_is_away:
            return False
        self.shop.gateway_is_away = True
        for call in ("create", "status", "cancel"):
            self.shop.bank.fail(call, "500", 100_000)
        return True

    @step(weight=4)
    def gateway_comes_back(self) -> bool:
        if not self.shop.gateway_is_away:
            return False
        self.shop.gateway_is_away = False
        self.shop.bank.recover()
        return True

    @step(weight=3, method=SEND, fault=st.sampled_from(TELEGRAM_FAULTS), times=st.integers(1, 2))
    def break_telegram(self, method, fault, times) -> bool:
        error, is_after_effect = fault
        self.shop.telegram.break_next(method, error, after_effect=is_after_effect, times=times)
        return True

    @step(who=WHICH)
    def block_bot(self, who) -> bool:
        """One customer at a time has blocked it: their goods wait for them."""
        if self.shop.away is not None:
            return False
        self.shop.block_bot(self.customer(who))
        return True

    @step(weight=2)
    def unblock_bot(self) -> bool:
        if self.shop.away is None:
            return False
        self.shop.unblock_bot()
        return True

    @step(statements=st.integers(0, 60))
    def cut_power_soon(self, statements) -> bool:
        """Whatever the shop does next ends in its middle."""
        self.shop.power.statements_left = statements
        return True

    @step(weight=2, who=WHICH)
    def die_while_sending(self, who) -> bool:
        """Rows are claimed, then the process ends: their lease must run out.

        If nothing waits to be sent, somebody buys first.
        """
        if not OutboxMessage.objects.pending().exists():
            checkout = self.summary(who, (0, 1, 3, 4)[who % 4], 1, None, 0)
            if checkout is not None:
                self.press_balance(checkout)
        with transaction.atomic():
            rows = OutboxMessage.objects.claim(now=self.shop.now, limit=8, lease=LEASE)
        return bool(rows)

    @step()
    def run_jobs(self) -> bool:
        creating = Payment.objects.filter(status=PaymentStatus.CREATING).order_by("pk")
        for payment in creating:
            self.open_payment(payment)
        deliver = partial(deliver_outbox, now=self.shop.now)
        self.shop.act("deliver", deliver)
        return True

    @step()
    def sweep_now(self) -> bool:
        self.shop.sweep()
        return True

    @step(weight=3, pause=PAUSE)
    def time_passes(self, pause) -> bool:
        self.shop.pass_time(pause)
        return True

    @step(downtime=DOWNTIME)
    def nothing_runs(self, downtime) -> bool:
        self.shop.stand_still(downtime)
        return True
