"""Vouchers: reserved with the order, consumed when it is paid, released when it ends unpaid."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import Customer
from core.models import store_settings
from core.money import ZERO, percent_of
from orders.errors import VoucherRefusal, VoucherRefused
from orders.models import Order, Voucher, VoucherUse, VoucherUseState


def find_voucher(*, customer: Customer, code: str, subtotal: Decimal, now: datetime) -> Voucher:
    """Return the voucher of a typed code if this customer may use it; raise VoucherRefused."""
    voucher = Voucher.objects.filter(code=code.strip().upper()[:32]).first()
    if voucher is None:
        raise VoucherRefused(VoucherRefusal.UNKNOWN)
    check_voucher(voucher=voucher, customer=customer, subtotal=subtotal, now=now)
    return voucher


def voucher_discount(*, voucher: Voucher, subtotal: Decimal) -> Decimal:
    """Return what the voucher takes off, never more than the subtotal."""
    if voucher.percent is None:
        discount = voucher.amount or ZERO
    else:
        discount = percent_of(subtotal, voucher.percent)
        if voucher.most_discount is not None:
            discount = min(discount, voucher.most_discount)
    return min(discount, subtotal)


def check_voucher(
    *, voucher: Voucher, customer: Customer, subtotal: Decimal, now: datetime
) -> None:
    """Raise VoucherRefused with the first reason that speaks against this use."""
    _check_terms(voucher, subtotal, now)
    _check_counts(voucher, customer)
    _check_customer(customer, now)


def _check_terms(voucher: Voucher, subtotal: Decimal, now: datetime) -> None:
    if not voucher.is_active:
        raise VoucherRefused(VoucherRefusal.INACTIVE)
    if voucher.valid_from is not None and now < voucher.valid_from:
        raise VoucherRefused(VoucherRefusal.NOT_YET, until=voucher.valid_from)
    if voucher.valid_until is not None and now >= voucher.valid_until:
        raise VoucherRefused(VoucherRefusal.OVER, until=voucher.valid_until)
    if subtotal < voucher.least_subtotal:
        raise VoucherRefused(VoucherRefusal.BELOW_MINIMUM, minimum=voucher.least_subtotal)


def _check_counts(voucher: Voucher, customer: Customer) -> None:
    live = voucher.uses.exclude(state=VoucherUseState.RELEASED)
    if voucher.total_uses is not None and live.count() >= voucher.total_uses:
        raise VoucherRefused(VoucherRefusal.USED_UP)
    limit = voucher.uses_per_customer
    if limit is not None and live.filter(customer=customer).count() >= limit:
        raise VoucherRefused(VoucherRefusal.USED_BY_CUSTOMER)


def _check_customer(customer: Customer, now: datetime) -> None:
    uses = VoucherUse.objects.filter(customer=customer)
    if uses.filter(state=VoucherUseState.RESERVED).exists():
        raise VoucherRefused(VoucherRefusal.OPEN_ORDER)
    latest = uses.filter(state=VoucherUseState.CONSUMED).order_by("-consumed_at").first()
    if latest is None or latest.consumed_at is None:
        return
    free_at = latest.consumed_at + store_settings().voucher_pause
    if now < free_at:
        raise VoucherRefused(VoucherRefusal.TOO_SOON, until=free_at)


@transaction.atomic
def reserve_voucher(*, order: Order, voucher_id: int, now: datetime) -> None:
    """Reserve one use for the order; raise VoucherRefused when it may not be used (any more)."""
    # Counting the uses and adding one must be one step: the last use is claimed once.
    voucher = Voucher.objects.lock().filter(pk=voucher_id).first()
    if voucher is None:
        raise VoucherRefused(VoucherRefusal.UNKNOWN)
    check_voucher(voucher=voucher, customer=order.customer, subtotal=order.subtotal, now=now)
    VoucherUse.objects.create(voucher=voucher, customer=order.customer, order=order)


def consume_voucher(*, order: Order, now: datetime) -> None:
    VoucherUse.objects.filter(order=order, state=VoucherUseState.RESERVED).update(
        state=VoucherUseState.CONSUMED, consumed_at=now
    )


def release_voucher(*, order: Order) -> None:
    VoucherUse.objects.filter(order=order, state=VoucherUseState.RESERVED).update(
        state=VoucherUseState.RELEASED
    )


@transaction.atomic
def reclaim_voucher(*, order: Order) -> None:
    """Reserve again the use an ended order gave back; raise VoucherRefused if it is gone.

    For late money: the terms were checked when the order was placed, only the counts matter now.
    """
    use = VoucherUse.objects.filter(order=order).first()
    if use is None or use.state != VoucherUseState.RELEASED:
        return
    voucher = Voucher.objects.lock().get(pk=use.voucher_id)
    _check_counts(voucher, order.customer)
    if VoucherUse.objects.filter(
        customer=order.customer_id, state=VoucherUseState.RESERVED
    ).exists():
        raise VoucherRefused(VoucherRefusal.OPEN_ORDER)
    use.state = VoucherUseState.RESERVED
    use.save(update_fields=["state"])
