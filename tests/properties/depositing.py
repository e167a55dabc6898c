"""Customers put money on their balance; staff give some back, and say what is paid."""

from decimal import Decimal
from functools import partial

from hypothesis import strategies as st

from orders.models import Order, OrderItem
from orders.services.refund_quotes import quote_refund
from orders.services.refunds import record_refund_outside, refund_to_balance
from payments.models import Payment
from payments.services.deposit import cancel_deposit, retry_deposit, start_deposit
from payments.services.manual import mark_paid_by_hand
from tests.properties.buying import Buying
from tests.properties.rules import WHICH, step

AMOUNT = st.sampled_from([10_000, 50_000, 250_000, 9_999])
BY = {"actor": "staff:1", "source": "admin"}


class Depositing(Buying):
    @step(weight=2, who=WHICH, amount=AMOUNT, again=st.booleans())
    def deposit(self, who, amount, again) -> bool:
        customer = self.customer(who)
        start = partial(
            start_deposit,
            customer_id=customer.pk,
            amount=Decimal(amount),
            key=f"run{self.shop.town.next_serial()}",
            chat_id=customer.pk,
            message_id=None,
            now=self.shop.now,
        )
        payment = self.shop.act("deposit", start)
        if payment is not None:
            self.open_payment(payment)
        if again:
            self.shop.act("deposit", start)
        return True

    @step(which=WHICH, is_cancelled=st.booleans())
    def end_or_retry_deposit(self, which, is_cancelled) -> bool:
        deposits = Payment.objects.filter(order=None).order_by("pk")
        payment = self.pick(list(deposits), which)
        if payment is None:
            return False
        whose = {
            "payment_id": payment.pk,
            "customer_id": payment.customer_id,
            "now": self.shop.now,
        }
        if is_cancelled:
            self.shop.act("cancel deposit", partial(cancel_deposit, **whose))
            return True
        retry = partial(retry_deposit, chat_id=payment.customer_id, message_id=None, **whose)
        if self.shop.act("retry deposit", retry) is not None:
            self.open_payment(payment)
        return True


class Refunding(Buying):
    @step(weight=5, which=WHICH, is_outside=st.booleans(), times=st.sampled_from([1, 1, 2]))
    def refund(self, which, is_outside, times) -> bool:
        """Staff look at a quote and confirm it, perhaps twice."""
        items = OrderItem.objects.filter(order__status="paid", order__total_bill__gt=0)
        item = self.pick(list(items.filter(refunds=None).order_by("pk")), which)
        if item is None:
            return False
        quote = partial(quote_refund, order_item_id=item.pk, now=self.shop.now)
        shown = self.shop.act("quote refund", quote)
        for _ in range(times if shown else 0):
            give = partial(refund_to_balance, request=shown.request, now=self.shop.now, **BY)
            if is_outside:
                give = partial(
                    record_refund_outside,
                    request=shown.request,
                    note="by bank transfer",
                    now=self.shop.now,
                    **BY,
                )
            self.shop.act("refund", give)
        return True

    @step(which=WHICH, without_answer=st.booleans())
    def mark_paid_by_hand(self, which, without_answer) -> bool:
        order = self.pick(list(Order.objects.exclude(status="paid").order_by("pk")), which)
        if order is None:
            return False
        mark = partial(
            mark_paid_by_hand,
            order_id=order.pk,
            reason="showed a receipt",
            without_answer=without_answer,
            now=self.shop.now,
            **BY,
        )
        self.shop.act("mark paid by hand", mark)
        return True
