"""The gateway of the history: in memory, gone when the history is made.

Its name is its own, so that nobody asks another gateway about its transactions.
"""

import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import ClassVar

from payments.gateways.base import (
    GatewayRefused,
    GatewayStatus,
    GatewayTransaction,
    GatewayUnavailable,
    TransactionStatus,
    WebhookEvent,
    WebhookRefused,
)
from payments.gateways.pakasir import FeeSchedule

UNPAID_FOR = timedelta(days=1)
"""How long the real gateway keeps an unpaid transaction."""


@dataclass(kw_only=True)
class DemoBank:
    """Implements payments.gateways.base.Gateway; `pay` is what a customer's banking app does."""

    name: ClassVar[str] = "demo"

    rng: Random
    fees: FeeSchedule = field(default_factory=FeeSchedule)
    _told: dict[str, TransactionStatus] = field(default_factory=dict)
    _made: dict[str, str] = field(default_factory=dict)

    def create(
        self, *, order_id: str, amount: Decimal, deadline: datetime | None = None
    ) -> GatewayTransaction:
        """Unlike the real gateway it never finds: nothing of the history is asked for twice."""
        txn_id = f"TXN{self.rng.getrandbits(80):020X}"
        fee = self.fees.fee(amount)
        self._made[order_id] = txn_id
        self._told[txn_id] = TransactionStatus(
            txn_id=txn_id,
            order_id=order_id,
            amount=amount,
            is_sandbox=False,
            status=GatewayStatus.PENDING,
            completed_at=None,
        )
        return GatewayTransaction(
            txn_id=txn_id,
            order_id=order_id,
            amount=amount,
            fee=fee,
            total_payment=amount + fee,
            qr_string=qris_string(amount=amount + fee, reference=txn_id),
            expired_at=deadline + UNPAID_FOR if deadline else None,
            is_sandbox=False,
            status=GatewayStatus.PENDING,
        )

    def status(self, txn_id: str) -> TransactionStatus:
        try:
            return self._told[txn_id]
        except KeyError:
            raise GatewayUnavailable("the history's bank does not know this one") from None

    def cancel(self, txn_id: str) -> None:
        told = self.status(txn_id)
        if told.status == GatewayStatus.COMPLETED:
            raise GatewayRefused(status_code=400, message="The transaction is completed")
        self._told[txn_id] = replace(told, status=GatewayStatus.CANCELLED)

    def txn_of(self, order_id: str) -> str:
        return self._made[order_id]

    def pay(self, txn_id: str, *, at: datetime, amount: Decimal | None = None) -> WebhookEvent:
        """Complete a transaction, a cancelled one too; return the webhook that says so."""
        told = replace(
            self.status(txn_id),
            status=GatewayStatus.COMPLETED,
            completed_at=at,
            amount=self.status(txn_id).amount if amount is None else amount,
        )
        self._told[txn_id] = told
        return WebhookEvent(
            txn_id=txn_id,
            order_id=told.order_id,
            status=told.status,
            amount=told.amount,
            is_sandbox=told.is_sandbox,
            body={
                "txn_id": txn_id,
                "order_id": told.order_id,
                "amount": int(told.amount),
                "is_sandbox": told.is_sandbox,
                "status": told.status.value,
                "completed_at": at.isoformat(),
            },
        )

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:  # noqa: ARG002
        raise WebhookRefused("The history's bank calls nobody")

    def checkout_url(self, txn_id: str, redirect: str | None = None) -> str:  # noqa: ARG002
        return ""

    def estimate_fee(self, amount: Decimal) -> Decimal:
        return self.fees.fee(amount)

    def ping(self) -> None:
        """It is in memory: it always answers."""


def qris_string(*, amount: Decimal, reference: str) -> str:
    """Build a dynamic QRIS code (EMVCo: tag, length, value) of an invented merchant."""
    acquirer = _field("00", "ID.CONTOH.WWW") + _field("01", "936009990000000017")
    national = _field("00", "ID.CO.QRIS.WWW") + _field("02", "ID1020000000017")
    fields = {
        "00": "01",
        "01": "12",
        "26": acquirer + _field("03", "UMI"),
        "51": national + _field("03", "UMI"),
        "52": "5734",
        "53": "360",
        "54": str(int(amount)),
        "58": "ID",
        "59": "QUICKCART DEMO",
        "60": "JAKARTA",
        "61": "10110",
        "62": _field("05", reference[:25]),
    }
    text = "".join(_field(tag, value) for tag, value in fields.items()) + "6304"
    # CRC-16 with polynomial 0x1021, begun with 0xFFFF, as EMVCo asks.
    return f"{text}{binascii.crc_hqx(text.encode('ascii'), 0xFFFF):04X}"


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02}{value}"
