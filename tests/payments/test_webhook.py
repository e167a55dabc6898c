"""What the gateway, or somebody else, posts to the webhook."""

from datetime import timedelta

import pytest
from django.test import Client

from core.models import OutboxMessage
from orders.models import OrderStatus
from payments.models import Case, CaseKind, GatewayEvent, PaymentStatus
from payments.services.events import handle_event
from payments.services.opening import open_payment
from tests.bank import Bank
from tests.payments.steps import (
    SECRET,
    WEBHOOK,
    body_of,
    handle_events,
    kinds,
    opened,
    status_of,
    uncreate,
)
from tests.world import World


class TestWebhook:
    def post(self, body: bytes | str, secret: str | None = SECRET, **headers) -> int:
        extra = {"HTTP_X_SECRET": secret} if secret is not None else {}
        content_type = headers.pop("content_type", "application/json")
        return (
            Client().generic("POST", WEBHOOK, body, content_type=content_type, **extra).status_code
        )

    @pytest.mark.parametrize("secret", [None, "", "wrong"])
    def test_without_the_secret_is_refused(self, db, secret: str | None) -> None:
        assert self.post("{}", secret) == 403
        assert not GatewayEvent.objects.exists()

    def test_with_an_unset_secret_every_call_is_refused(self, db, settings) -> None:
        settings.PAKASIR_WEBHOOK_SECRET = ""
        assert self.post("{}", "") == 403

    @pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"txn_id": 1}', b"\xff"])
    def test_what_cannot_be_read_is_refused(self, db, body: bytes) -> None:
        assert self.post(body) == 400
        assert not GatewayEvent.objects.exists()

    def test_too_big_is_refused(self, db) -> None:
        assert self.post(b" " * (64 * 1024 + 1)) == 413

    def test_json_with_a_form_content_type_is_read(self, sale, world: World, bank: Bank) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        content_type = "application/x-www-form-urlencoded"
        assert self.post(body_of(payment), content_type=content_type) == 200
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PAID

    def test_a_body_is_a_hint_never_proof(self, sale, world: World) -> None:
        _customer, _product, payment = sale
        assert self.post(body_of(payment)) == 200
        handle_events(world)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)

    def test_a_body_that_differs_from_transaction_status_is_ignored(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        assert self.post(body_of(payment, amount=1)) == 200
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PENDING
        assert GatewayEvent.objects.get().error == "differs from transaction-status"

    def test_a_true_call_after_a_wrong_one_is_believed(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        assert self.post(body_of(payment, amount=1)) == 200
        handle_events(world)
        assert self.post(body_of(payment)) == 200
        world.later(seconds=4)
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PAID
        assert GatewayEvent.objects.count() == 1

    def test_a_call_that_runs_ahead_of_transaction_status_is_asked_about_again(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        assert self.post(body_of(payment)) == 200
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PENDING
        bank.pay(payment, webhook="drop")
        world.later(seconds=4)
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PAID

    def test_what_transaction_status_never_confirms_becomes_a_case_after_an_hour(
        self, world: World, bank: Bank
    ) -> None:
        payment = world.qris(world.customer(), world.product())
        body = body_of(payment, txn_id="TXN-BOGUS")
        assert self.post(body) == 200
        event = GatewayEvent.objects.get()
        asked = 0
        while event.handled_at is None:
            handle_event(event_id=event.pk, now=event.next_try_at)
            event.refresh_from_db()
            asked += 1
        assert 10 < asked < 60
        assert Case.objects.get().kind == CaseKind.UNMATCHED_EVENT
        payment.refresh_from_db()
        assert payment.txn_id is None

    def test_a_foreign_sandbox_transaction_is_not_adopted(self, world: World, bank: Bank) -> None:
        payment = opened(world, world.customer(), world.product())
        txn_id = payment.txn_id
        uncreate(payment, txn_id=None)
        assert self.post(body_of(payment, txn_id=txn_id, is_sandbox=True)) == 200
        bank.fail("status", "sandbox_flag")
        handle_events(world)
        payment.refresh_from_db()
        assert payment.txn_id is None

    def test_an_event_of_nobody_is_retried_for_an_hour_then_becomes_a_case(
        self, world: World, bank: Bank
    ) -> None:
        body = (
            '{"txn_id": "unknown", "order_id": "UNKNOWN-1", "amount": 1000,'
            ' "is_sandbox": false, "status": "completed", "completed_at": null}'
        )
        assert self.post(body) == 200
        event = GatewayEvent.objects.get()
        handle_event(event_id=event.pk, now=event.received_at + timedelta(minutes=59))
        assert not Case.objects.exists()
        handle_event(event_id=event.pk, now=event.received_at + timedelta(minutes=60))
        assert Case.objects.get().kind == CaseKind.UNMATCHED_EVENT
        assert kinds(None) == ["staff_case"]

    def test_a_payment_without_transaction_adopts_it_after_transaction_status(
        self, world: World, bank: Bank
    ) -> None:
        payment = opened(world, world.customer(), world.product())
        txn_id = payment.txn_id
        uncreate(payment, txn_id=None, qr_string="")
        bank.pay_transaction(txn_id)
        handle_events(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        assert payment.txn_id == txn_id

    def test_a_transaction_adopted_unpaid_still_shows_its_qr(
        self, world: World, bank: Bank
    ) -> None:
        payment = opened(world, world.customer(), world.product())
        OutboxMessage.objects.all().delete()
        uncreate(payment, qr_string="", next_check_at=world.now)
        open_payment(payment_id=payment.pk, now=world.later(seconds=5))
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        assert payment.qr_string
        assert kinds(payment.customer_id) == ["payment_qr"]

    def test_an_unknown_gateway_is_not_found(self, db) -> None:
        assert Client().post("/webhooks/other/").status_code == 404
