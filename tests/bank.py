"""The gateway's stand-in as a test drives it: in process, no sockets, no waiting."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.core.wsgi import get_wsgi_application
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from payments import gateways
from payments.gateways.base import Gateway, RetryPolicy
from payments.models import Payment
from sandbox.pakasir import webhook

ROOT = "/sandbox/pakasir"


class Bank:
    """What a customer's banking app and a failing gateway do."""

    def __init__(self) -> None:
        self.client = Client()

    def pay(self, payment: Payment, **how: Any) -> dict[str, Any]:
        """Pay a payment's transaction; `webhook`: send (default), drop or duplicate."""
        payment.refresh_from_db()
        return self.pay_transaction(payment.txn_id or "", **how)

    def pay_transaction(self, txn_id: str, **how: Any) -> dict[str, Any]:
        answer = self.client.post(
            f"{ROOT}/transactions/{txn_id}/pay/", how, content_type="application/json"
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    def fail(self, call: str, kind: str, times: int = 1) -> None:
        answer = self.client.post(
            f"{ROOT}/api/faults/",
            {"call": call, "kind": kind, "times": times, "delay_ms": 1},
            content_type="application/json",
        )
        assert answer.status_code in {200, 201}, answer.content

    def faults_used(self) -> list[int]:
        faults = self.client.get(f"{ROOT}/api/faults/").json()["faults"]
        return [fault["used"] for fault in faults]

    def recover(self) -> None:
        self.client.delete(f"{ROOT}/api/faults/")

    def transactions(self) -> list[dict[str, Any]]:
        return self.client.get(f"{ROOT}/api/transactions/").json()["transactions"]


def connect_in_process(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Bank:
    """Let shop and stand-in answer each other inside the test's own transaction."""
    settings.SANDBOX_PAKASIR_LIMITS = False
    drop = BaseDatabaseWrapper.close_if_unusable_or_obsolete

    def drop_outside_transactions(connection: BaseDatabaseWrapper) -> None:
        if not connection.in_atomic_block:
            drop(connection)

    monkeypatch.setattr(
        BaseDatabaseWrapper, "close_if_unusable_or_obsolete", drop_outside_transactions
    )
    transport = httpx.WSGITransport(get_wsgi_application())
    build = gateways._GATEWAYS["pakasir"]

    def impatient() -> Gateway:
        return replace(build(), retries=RetryPolicy(tries=2, sleep=lambda _seconds: None))

    monkeypatch.setattr(gateways, "transport_factory", lambda: transport)
    monkeypatch.setattr(webhook, "transport_factory", lambda: transport)
    monkeypatch.setitem(gateways._GATEWAYS, "pakasir", impatient)
    return Bank()
