"""Money: in time, late, twice, wrongly, unseen; and what the gateway says about it."""

import json
from datetime import timedelta
from functools import partial

from hypothesis import strategies as st

from accounts.models import Customer
from payments.gateways import get_gateway
from payments.models import GatewayEvent, Payment
from payments.services.check import check_payment
from payments.services.events import handle_event, receive_event
from payments.services.settle import record_completion
from sandbox.pakasir.models import PakasirTransaction
from tests.properties.buying import Buying
from tests.properties.rules import WEBHOOK, WHICH, Paid, step
from tests.properties.staffing import Staffing

AFTER_EXPIRY = st.sampled_from(
    [timedelta(seconds=1), timedelta(seconds=25), timedelta(minutes=11), timedelta(hours=23)]
)


class Paying(Buying, Staffing):
    @step(weight=5, which=WHICH, webhook=WEBHOOK)
    def pay(self, which, webhook) -> bool:
        return self._pay(self.payable_or_bought(which), webhook)

    @step(weight=3, which=WHICH, webhook=WEBHOOK)
    def pay_what_has_ended(self, which, webhook) -> bool:
        return self._pay(self.payable(which, ended=True), webhook)

    @step(weight=6, which=WHICH, webhook=WEBHOOK, after=AFTER_EXPIRY)
    def pay_late(self, which, webhook, after) -> bool:
        """A QR is paid after its order's time; the goods may be gone meanwhile or not."""
        payment = self.payable_or_bought(which)
        if payment is None:
            return False
        self.shop.pass_time(max(payment.expires_at + after - self.shop.now, timedelta(0)))
        if not self._is_alive_there(payment):
            return True
        self._pay(payment, webhook)
        self.shop.pass_time(timedelta(seconds=10))
        return True

    @step(weight=3, which=WHICH, webhook=WEBHOOK, balance_first=st.booleans())
    def pay_by_balance_and_qr(self, which, webhook, balance_first) -> bool:
        payment = self.payable_or_bought(which)
        checkout = self.checkout_of(payment) if payment else None
        if payment is None or checkout is None:
            return False
        self.give(Customer.objects.get(pk=checkout.customer_id), int(payment.amount))
        if not balance_first:
            self._pay(payment, "drop")
        self.press_balance(checkout)
        if balance_first:
            self._pay(payment, webhook)
        self.shop.pass_time(timedelta(seconds=10))
        return True

    @step(which=WHICH, webhook=WEBHOOK)
    def pay_two_transactions(self, which, webhook) -> bool:
        """Somebody cancels at the gateway, the customer tries again, and pays both codes."""
        first = self.payable_or_bought(which)
        if first is None or first.order is None or not first.is_open:
            return False
        self.shop.act("cancel there", lambda: get_gateway().cancel(first.txn_id or ""))
        self.shop.town.later(seconds=5)
        self._check(first)
        second = self.retry(first.order)
        if second is not None:
            self.open_payment(second)
            second.refresh_from_db()
            if second.txn_id and self._is_alive_there(second):
                self._pay(second, webhook)
        self._pay(first, webhook)
        self.shop.pass_time(timedelta(seconds=40))
        return True

    @step(which=WHICH, webhook=WEBHOOK, amount=st.sampled_from([1, 1_000, 49_999, 60_000]))
    def pay_another_amount(self, which, webhook, amount) -> bool:
        return self._pay(self.payable_or_bought(which), webhook, amount=amount)

    @step(which=WHICH)
    def pay_before_we_know(self, which) -> bool:
        """The transaction was made, its answer lost: the webhook tells of it first."""
        unknown = Payment.objects.filter(txn_id=None).values_list("reference", flat=True)
        there = PakasirTransaction.objects.filter(order_id__in=list(unknown))
        alive = there.exclude(status=Paid).filter(expired_at__gt=self.shop.now).order_by("pk")
        found = self.pick(list(alive), which)
        if found is None:
            return False
        self.shop.bank.pay_transaction(found.txn_id, webhook="send")
        return True

    @step(weight=2, which=WHICH, status=st.sampled_from(["completed", "pending", "canceled"]))
    def send_webhook_again(self, which, status) -> bool:
        """The same again, an older state, or a lie: the body is only a hint."""
        there = self.pick(list(PakasirTransaction.objects.order_by("pk")), which)
        if there is None:
            return False
        body = {
            "txn_id": there.txn_id,
            "order_id": there.order_id,
            "amount": there.received,
            "is_sandbox": False,
            "status": status,
            "completed_at": None,
        }
        headers = {"X-Secret": "sandbox-webhook-secret"}
        event = get_gateway().parse_webhook(headers, json.dumps(body).encode())
        receive = partial(receive_event, gateway="pakasir", event=event, now=self.shop.now)
        for _ in range(3):
            self.shop.act("receive webhook", receive)
        return True

    @step(which=WHICH)
    def press_status(self, which) -> bool:
        payment = self.pick(list(Payment.objects.exclude(txn_id=None).order_by("pk")), which)
        if payment is None:
            return False
        self._check(payment)
        return True

    @step(which=WHICH)
    def die_between_money_and_effect(self, which) -> bool:
        """T1 is committed, then the process ends: T2 is the sweep's."""
        paid = PakasirTransaction.objects.filter(status=Paid).values_list("txn_id", flat=True)
        open_here = Payment.objects.filter(txn_id__in=list(paid), completed_at=None)
        payment = self.pick(list(open_here.order_by("pk")), which)
        if payment is None:
            return False
        self.shop.act("record completion", partial(self._record, payment))
        return True

    @step()
    def run_event_jobs(self) -> bool:
        events = list(GatewayEvent.objects.filter(handled_at=None).order_by("pk"))
        for event in events:
            handle = partial(handle_event, event_id=event.pk, now=self.shop.now)
            self.shop.act("handle event", handle)
        return bool(events)

    def _pay(self, payment: Payment | None, webhook: str, **how: int) -> bool:
        if payment is None:
            return False
        payment.refresh_from_db()
        self.books.note_payment(payment)
        self.shop.bank.pay(payment, webhook=webhook, **how)
        return True

    def _is_alive_there(self, payment: Payment) -> bool:
        there = PakasirTransaction.objects.get(txn_id=payment.txn_id)
        return there.status != Paid and there.expired_at > self.shop.now

    def _check(self, payment: Payment) -> None:
        check = partial(check_payment, payment_id=payment.pk, now=self.shop.now)
        self.shop.act("ask the gateway", check)

    def _record(self, payment: Payment) -> None:
        told = get_gateway().status(payment.txn_id or "")
        record_completion(payment_id=payment.pk, told=told, now=self.shop.now)
