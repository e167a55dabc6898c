"""Every refusal of a service as one helpful sentence."""

from functools import singledispatch

from django.core.exceptions import ValidationError

from accounts.errors import AmountRefused, BalanceMoved
from backoffice.display import moment, money
from backoffice.errors import LastOwner, RoleInUse
from catalog.errors import (
    CategoryInUse,
    ImportRefused,
    KindFixed,
    NumberTaken,
    OutOfStock,
    PhotoRefused,
    ProductUnavailable,
)
from core.models import OutboxState
from orders.errors import (
    OrderNotPending,
    RefundChanged,
    RefundRefusal,
    RefundRefused,
    VoucherRefused,
)
from orders.models import OrderStatus
from payments.services.cases import MOST_NOTE, CaseClosed, GoodsMissing, NoteRefused
from payments.services.manual import MOST_REASON, GatewaySilent, ReasonRefused
from telegram_bot.resending import NotResendable


@singledispatch
def sentence(_refusal: Exception) -> str:
    return "Somebody changed the same thing at the same moment. Please look again and retry."


@sentence.register
def _invalid(refusal: ValidationError) -> str:
    return " ".join(refusal.messages)


@sentence.register
def _number(refusal: NumberTaken) -> str:
    return (
        f"Number {refusal.number} belongs to “{refusal.product_name}”. Please choose another one."
    )


@sentence.register
def _kind(_refusal: KindFixed) -> str:
    return "This product has goods already, so it keeps its kind. Add a new product instead."


@sentence.register
def _category(refusal: CategoryInUse) -> str:
    count = refusal.on_sale + refusal.off_sale
    products = "1 product" if count == 1 else f"{count} products"
    hint = f" ({refusal.off_sale} of them off sale)" if refusal.off_sale else ""
    return f"“{refusal.name}” still has {products}{hint}. Move them to another category first."


@sentence.register
def _photo(refusal: PhotoRefused) -> str:
    return f"The photo was not taken: {refusal.reason}."


@sentence.register
def _gone(_refusal: ProductUnavailable) -> str:
    return "This product is off sale. Put it back on sale first."


@sentence.register
def _import(refusal: ImportRefused) -> str:
    return f"Nothing was stored: {refusal.reason}."


@sentence.register
def _last_owner(_refusal: LastOwner) -> str:
    return "This is the only owner who may log in. Make somebody else an owner first."


@sentence.register
def _role(refusal: RoleInUse) -> str:
    members = "1 member" if refusal.members == 1 else f"{refusal.members} members"
    return f"“{refusal.name}” still has {members} of staff. Give them another role first."


@sentence.register
def _without_goods(_refusal: GoodsMissing) -> str:
    return (
        "The customer has neither the goods nor the money back. Send the message again, refund the"
        " order, or confirm that you handed the goods over in another way."
    )


@sentence.register
def _case(refusal: CaseClosed) -> str:
    return (
        f"This case was dealt with already, on {moment(refusal.closed_at)}:"
        f" “{refusal.resolution}”. Your note was not stored."
    )


@sentence.register
def _note(_refusal: NoteRefused) -> str:
    return f"Write in a few words what you did, in at most {MOST_NOTE:,} characters."


@sentence.register
def _amount(refusal: AmountRefused) -> str:
    return f"Write whole rupiah, from {money(refusal.least)} to {money(refusal.most)}."


@sentence.register
def _moved(refusal: BalanceMoved) -> str:
    now = money(refusal.balance)
    return f"The balance has moved meanwhile: it is {now} now. Please open this page again."


@sentence.register
def _not_pending(refusal: OrderNotPending) -> str:
    if refusal.order.status == OrderStatus.PAID:
        return "This order is paid already. Nothing was changed."
    return "Money for this order has just arrived and is being used. Please look again."


@sentence.register
def _out_of_stock(refusal: OutOfStock) -> str:
    return (
        f"Its goods are gone: {refusal.available} of {refusal.wanted} left. Nothing was changed."
    )


@sentence.register
def _voucher(_refusal: VoucherRefused) -> str:
    return "Its voucher was used elsewhere meanwhile. Nothing was changed."


@sentence.register
def _silent(_refusal: GatewaySilent) -> str:
    return (
        "The gateway did not say whether the order is paid there, so nothing was changed."
        " Try again in a few seconds, or tick the box to go on without its answer."
    )


@sentence.register
def _reason(_refusal: ReasonRefused) -> str:
    return f"Write in a few words how it was paid, in at most {MOST_REASON:,} characters."


REFUND_REFUSALS = {
    RefundRefusal.NOT_PAID: "Only a paid order can be refunded.",
    RefundRefusal.FREE: "Nothing was paid for this order, so there is nothing to refund.",
    RefundRefusal.ALL_REFUNDED: "All of this order was refunded already.",
    RefundRefusal.TOO_MANY_UNITS: "So many are not left to refund. Please look again.",
    RefundRefusal.NOTHING_LEFT: "By the formula nothing is given back any more.",
    RefundRefusal.ON_ITS_WAY: "The goods are being sent at this moment. Please look again in a"
    " minute.",
    RefundRefusal.NOTE: "Write in a few words how it was paid.",
}


@sentence.register
def _refund(refusal: RefundRefused) -> str:
    return REFUND_REFUSALS[refusal.reason]


@sentence.register
def _refund_changed(refusal: RefundChanged) -> str:
    return (
        f"The refund has changed meanwhile: it is {money(refusal.quote.amount)} now."
        " Nothing was refunded yet. Please look again."
    )


@sentence.register
def _message(refusal: NotResendable) -> str:
    if refusal.state == OutboxState.PENDING:
        return "This message is on its way already; the shop goes on trying by itself."
    if refusal.state == OutboxState.DROPPED:
        return "This message was dropped because it was of no more use. Nothing was sent."
    return "This message has arrived and is only good once. Nothing was sent again."
