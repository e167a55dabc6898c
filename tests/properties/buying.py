"""Customers: they buy, press again, try again, cancel."""

from functools import partial

from hypothesis import strategies as st

from orders.models import Order
from orders.services.quotes import Quote, get_quote
from payments.models import Payment, PaymentStatus
from payments.services.cancel import cancel_order
from payments.services.checkout import (
    Checkout,
    buy_with_balance,
    buy_with_qris,
    retry_qris,
    take_for_free,
)
from payments.services.opening import open_payment
from tests.properties.rules import WHICH, ShopRules, step

WHAT = st.sampled_from([0, 1, 3, 4, 0, 1, 2, 5])
QUANTITY = st.sampled_from([1, 1, 1, 2, 3])
VOUCHER = st.sampled_from([None, None, None, 0, 0, 1, 1, 2, 3])
# What a summary said that is not true any more.
STALE = st.sampled_from([0, 0, 0, 0, 0, 0, 0, 1_000])


class Buying(ShopRules):
    @step(
        weight=9,
        who=WHICH,
        what=WHAT,
        quantity=QUANTITY,
        voucher=VOUCHER,
        stale=STALE,
        job=st.sampled_from([True, True, False]),
    )
    def buy_by_qris(self, who, what, quantity, voucher, stale, job) -> bool:
        checkout = self.summary(who, what, quantity, voucher, stale)
        if checkout is not None:
            payment = self.press_qris(checkout)
            if payment is not None and job:
                self.open_payment(payment)
        return True

    @step(weight=2, who=WHICH, what=WHAT, quantity=QUANTITY, voucher=VOUCHER, stale=STALE)
    def buy_from_balance(self, who, what, quantity, voucher, stale) -> bool:
        checkout = self.summary(who, what, quantity, voucher, stale)
        if checkout is not None:
            self.press_balance(checkout)
        return True

    @step(who=WHICH, what=WHAT, voucher=VOUCHER)
    def take_it_for_free(self, who, what, voucher) -> bool:
        checkout = self.summary(who, what, 1, voucher, 0)
        if checkout is not None:
            take = partial(take_for_free, checkout=checkout, now=self.shop.now)
            self.shop.act("take for free", take)
        return True

    @step(which=WHICH, by_balance=st.booleans())
    def press_again(self, which, by_balance) -> bool:
        checkout = self.pick(list(self.checkouts.values()), which)
        if checkout is None:
            return False
        press = self.press_balance if by_balance else self.press_qris
        press(checkout)
        return True

    @step(which=WHICH)
    def try_again(self, which) -> bool:
        order = self.pending(which)
        if order is None:
            return False
        payment = self.retry(order)
        if payment is not None:
            self.open_payment(payment)
        return True

    @step(which=WHICH)
    def cancel(self, which) -> bool:
        order = self.pending(which)
        if order is None:
            return False
        order_id, customer_id = order.pk, order.customer_id
        self.shop.act(
            "cancel",
            partial(cancel_order, order_id=order_id, customer_id=customer_id, now=self.shop.now),
        )
        return True

    def payable_or_bought(self, which: int) -> Payment | None:
        """A payment that can be paid; if there is none, somebody buys first."""
        known = self.payable(which)
        if known is not None:
            return known
        checkout = self.summary(which, (0, 1, 3, 4)[which % 4], 1, None, 0)
        payment = self.press_qris(checkout) if checkout else None
        if payment is not None:
            self.open_payment(payment)
        return self.payable(0)

    def summary(
        self, who: int, what: int, quantity: int, voucher: int | None, stale: int
    ) -> Checkout | None:
        """Show a summary, if it can be bought at all, and keep it."""
        quote = self.shop.act("quote", partial(self._quote, who, what, quantity, voucher))
        if quote is None:
            return None
        checkout = Checkout(
            customer_id=self.customer(who).pk,
            key=f"run{len(self.checkouts)}",
            product_id=quote.product.pk,
            quantity=quantity,
            total=quote.total + stale,
            voucher_id=quote.voucher.pk if quote.voucher else None,
        )
        self.checkouts[checkout.checkout_key] = checkout
        return checkout

    def _quote(self, who: int, what: int, quantity: int, voucher: int | None) -> Quote:
        town = self.shop.town
        return get_quote(
            customer=self.customer(who),
            product_id=town.products[what].pk,
            quantity=quantity,
            voucher_id=None if voucher is None else town.vouchers[voucher].pk,
            now=self.shop.now,
        )

    def press_qris(self, checkout: Checkout) -> Payment | None:
        buy = partial(
            buy_with_qris,
            checkout=checkout,
            chat_id=checkout.customer_id,
            message_id=None,
            now=self.shop.now,
        )
        return self.shop.act("buy by QRIS", buy)

    def press_balance(self, checkout: Checkout) -> Order | None:
        buy = partial(buy_with_balance, checkout=checkout, now=self.shop.now)
        return self.shop.act("buy from balance", buy)

    def open_payment(self, payment: Payment) -> None:
        open_it = partial(open_payment, payment_id=payment.pk, now=self.shop.now)
        self.shop.act("open payment", open_it)

    def retry(self, order: Order) -> Payment | None:
        again = partial(
            retry_qris,
            order_id=order.pk,
            customer_id=order.customer_id,
            chat_id=order.customer_id,
            message_id=None,
            now=self.shop.now,
        )
        payment = self.shop.act("try again", again)
        return payment if payment and payment.status == PaymentStatus.CREATING else None
