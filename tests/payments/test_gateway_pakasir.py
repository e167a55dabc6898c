"""The adapter against the stand-in, in process; against crafted answers where it has no fault."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone

from payments import gateways
from payments.gateways.base import (
    AmountOutOfRange,
    GatewayMismatch,
    GatewayRateLimited,
    GatewayRefused,
    GatewayStatus,
    GatewayUnauthorized,
    GatewayUnavailable,
    InvalidOrderId,
    RetryPolicy,
    WebhookMalformed,
    WebhookRefused,
)
from payments.gateways.pakasir import PakasirGateway

KEY, SECRET = "sandbox-api-key", "sandbox-webhook-secret"
FIFTY = Decimal(50_000)
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.slept: list[float] = []

    def sleep(self, seconds):
        self.slept.append(seconds)

    def elapsed(self):
        return sum(self.slept)

    def now(self):
        return NOW + timedelta(seconds=self.elapsed())

    def policy(self, **changes):
        clock = {"sleep": self.sleep, "elapsed": self.elapsed, "now": self.now}
        return RetryPolicy(**clock, **changes)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def in_process(monkeypatch):
    """Let a request inside the test keep the connection that holds the test's transaction."""
    drop = BaseDatabaseWrapper.close_if_unusable_or_obsolete

    def drop_outside_transactions(connection):
        if not connection.in_atomic_block:
            drop(connection)

    monkeypatch.setattr(
        BaseDatabaseWrapper, "close_if_unusable_or_obsolete", drop_outside_transactions
    )
    return httpx.WSGITransport(get_wsgi_application())


@pytest.fixture
def gateway(db, settings, monkeypatch, clock, in_process):
    """The shop's gateway as configured, every call answered by the stand-in in this process."""
    settings.SANDBOX_PAKASIR_LIMITS = False
    monkeypatch.setattr(gateways, "transport_factory", lambda: in_process)
    return replace(gateways.get_gateway(), retries=clock.policy())


@pytest.fixture
def crafted(clock):
    """A gateway that gets these answers one after another, the last one again and again."""

    def build(*answers, **changes):
        asked: list[httpx.Request] = []

        def answer(request):
            asked.append(request)
            found = answers[min(len(asked), len(answers)) - 1]
            if isinstance(found, Exception):
                raise found
            return found

        options = {
            "base_url": "https://gateway.test/api/v2",
            "checkout_base_url": "https://gateway.test/pay-v2",
            "project": "demo",
            "api_key": KEY,
            "webhook_secret": SECRET,
            "transport": httpx.MockTransport(answer),
            "retries": clock.policy(),
        }
        return PakasirGateway(**(options | changes)), asked

    return build


def fault(call, kind, times=1, **more):
    body = {"call": call, "kind": kind, "times": times, "delay_ms": 0} | more
    url = "/sandbox/pakasir/api/faults/"
    assert Client().post(url, body, content_type="application/json").status_code == 200


def faults_used():
    return [f["used"] for f in Client().get("/sandbox/pakasir/api/faults/").json()["faults"]]


def known_transactions():
    return Client().get("/sandbox/pakasir/api/transactions/").json()["transactions"]


def pay(txn_id, **body):
    url = f"/sandbox/pakasir/transactions/{txn_id}/pay/"
    body = {"webhook": "drop"} | body
    assert Client().post(url, body, content_type="application/json").status_code == 200


# --- the whole way ---


def test_create_returns_what_the_customer_must_pay(gateway):
    made = gateway.create(order_id="ORDER-1", amount=Decimal(99_000))
    assert (made.order_id, made.amount, made.fee, made.total_payment) == (
        "ORDER-1", 99_000, 1_003, 100_003,
    )  # fmt: skip
    assert (made.is_sandbox, made.status) == (False, GatewayStatus.PENDING)
    assert "5406100003" in made.qr_string
    assert abs(made.expired_at - timezone.now() - timedelta(days=1)) < timedelta(minutes=1)


def test_the_same_order_id_finds_the_same_transaction(gateway):
    first = gateway.create(order_id="ORDER-1", amount=FIFTY)
    assert gateway.create(order_id="ORDER-1", amount=FIFTY) == first


def test_status_follows_the_payment(gateway):
    txn_id = gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id
    assert gateway.status(txn_id).status == GatewayStatus.PENDING
    pay(txn_id)
    paid = gateway.status(txn_id)
    assert (paid.status, paid.order_id, paid.amount) == (
        GatewayStatus.COMPLETED, "ORDER-1", FIFTY,
    )  # fmt: skip
    assert abs(paid.completed_at - timezone.now()) < timedelta(minutes=1)


def test_status_states_the_amount_that_arrived(gateway):
    txn_id = gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id
    pay(txn_id, amount=49_000)
    assert gateway.status(txn_id).amount == Decimal(49_000)


def test_cancel_is_read_as_cancelled_and_create_still_finds_it(gateway):
    txn_id = gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id
    gateway.cancel(txn_id)
    gateway.cancel(txn_id)
    assert gateway.status(txn_id).status == GatewayStatus.CANCELLED
    found = gateway.create(order_id="ORDER-1", amount=FIFTY)
    assert (found.txn_id, found.status) == (txn_id, GatewayStatus.CANCELLED)


def test_cancelling_what_is_paid_is_refused(gateway):
    txn_id = gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id
    pay(txn_id)
    with pytest.raises(GatewayRefused) as refused:
        gateway.cancel(txn_id)
    assert refused.value.status_code == 400


def test_the_webhook_the_gateway_sends_can_be_read(gateway, settings, monkeypatch):
    from sandbox.pakasir import webhook

    calls = []

    def shop(request):
        calls.append(request)
        return httpx.Response(200)

    monkeypatch.setattr(webhook, "transport_factory", lambda: httpx.MockTransport(shop))
    txn_id = gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id
    pay(txn_id, webhook="send")
    event = gateway.parse_webhook(calls[0].headers, calls[0].content)
    assert (event.txn_id, event.order_id, event.status, event.amount, event.is_sandbox) == (
        txn_id, "ORDER-1", "completed", FIFTY, False,
    )  # fmt: skip


# --- faults of the stand-in ---


@pytest.mark.parametrize("kind", ["timeout", "timeout_after_effect", "500", "html", "empty"])
def test_no_usable_answer_is_unavailable_after_three_tries(gateway, clock, kind):
    fault("create", kind, times=10)
    with pytest.raises(GatewayUnavailable):
        gateway.create(order_id="ORDER-1", amount=FIFTY)
    assert (faults_used(), len(clock.slept)) == ([3], 2)
    assert 0.15 <= clock.slept[0] <= 0.45
    assert 0.3 <= clock.slept[1] <= 0.9


@pytest.mark.parametrize("kind", ["timeout", "timeout_after_effect", "500", "html", "empty"])
def test_cancel_is_repeated_too(gateway, kind):
    txn_id = gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id
    fault("cancel", kind, times=2)
    gateway.cancel(txn_id)
    assert faults_used() == [2]


@pytest.mark.parametrize("kind", ["timeout", "500", "html", "empty"])
def test_status_is_asked_once_whatever_comes_back(gateway, clock, kind):
    """The gateway wants 4 s between two questions about one transaction."""
    txn_id = gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id
    fault("status", kind, times=3)
    with pytest.raises(GatewayUnavailable):
        gateway.status(txn_id)
    assert faults_used() == [1]
    assert clock.slept == []


def test_a_total_below_our_amount_is_nothing_to_show(crafted):
    answer = {
        "txn_id": "TXN1",
        "order_id": "ORDER-1",
        "amount": 50_000,
        "fee": 0,
        "total_payment": 49_000,
        "qr_string": "QR",
        "expired_at": None,
        "is_sandbox": False,
    }
    gateway, _asked = crafted(httpx.Response(200, json=answer))
    with pytest.raises(GatewayMismatch):
        gateway.create(order_id="ORDER-1", amount=FIFTY)


def test_a_create_that_timed_out_after_its_effect_finds_its_transaction(gateway):
    fault("create", "timeout_after_effect")
    made = gateway.create(order_id="ORDER-1", amount=FIFTY)
    assert [t["txn_id"] for t in known_transactions()] == [made.txn_id]


def test_a_short_rate_limit_is_waited_for(gateway, clock):
    fault("create", "429")
    assert gateway.create(order_id="ORDER-1", amount=FIFTY).amount == FIFTY
    assert len(clock.slept) == 1
    assert 1.0 < clock.slept[0] < 2.0


def test_a_lasting_rate_limit_is_passed_on(gateway):
    fault("create", "429", times=10)
    with pytest.raises(GatewayRateLimited) as limited:
        gateway.create(order_id="ORDER-1", amount=FIFTY)
    assert (limited.value.retry_after, faults_used()) == (1.0, [3])


def test_the_status_limit_of_four_seconds_is_not_waited_for(gateway, settings, clock):
    settings.SANDBOX_PAKASIR_LIMITS = True
    txn_id = gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id
    gateway.status(txn_id)
    with pytest.raises(GatewayRateLimited) as limited:
        gateway.status(txn_id)
    assert (limited.value.retry_after, clock.slept) == (4.0, [])


def test_a_transaction_with_another_amount_is_never_returned(gateway):
    fault("create", "wrong_amount")
    with pytest.raises(GatewayMismatch):
        gateway.create(order_id="ORDER-1", amount=FIFTY)
    assert faults_used() == [1]


def test_a_status_with_another_amount_or_flag_is_reported_as_it_is(gateway):
    txn_id = gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id
    fault("status", "wrong_amount")
    fault("status", "sandbox_flag")
    assert gateway.status(txn_id).amount == Decimal(51_000)
    assert gateway.status(txn_id).is_sandbox is True


def test_a_sandbox_transaction_says_so(gateway):
    fault("create", "sandbox_flag")
    assert gateway.create(order_id="ORDER-1", amount=FIFTY).is_sandbox is True


def test_a_slow_answer_is_still_an_answer(gateway):
    fault("create", "slow")
    assert gateway.create(order_id="ORDER-1", amount=FIFTY).amount == FIFTY
    assert faults_used() == [1]


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
def test_over_a_socket_a_read_timeout_is_repeated_and_finds_the_transaction(live_server, settings):
    settings.SANDBOX_PAKASIR_LIMITS = False
    impatient = PakasirGateway(
        base_url=f"{live_server.url}/sandbox/pakasir/api/v2",
        checkout_base_url=live_server.url,
        project="quickcart-demo",
        api_key=KEY,
        webhook_secret=SECRET,
        timeout=httpx.Timeout(0.5),
        retries=RetryPolicy(first_delay=0.05),
    )
    fault("create", "timeout_after_effect", delay_ms=1_000)
    made = impatient.create(order_id="ORDER-1", amount=FIFTY)
    assert [t["txn_id"] for t in known_transactions()] == [made.txn_id]
    assert faults_used() == [1]


# --- refusals ---


@pytest.mark.parametrize("amount", ["499", "10000001", "0", "-500", "500.5"])
def test_an_amount_out_of_range_is_refused_without_a_call(crafted, amount):
    gateway, asked = crafted(httpx.Response(500))
    with pytest.raises(AmountOutOfRange) as refused:
        gateway.create(order_id="ORDER-1", amount=Decimal(amount))
    assert (refused.value.minimum, refused.value.maximum) == (500, 10_000_000)
    assert asked == []


@pytest.mark.parametrize("amount", [500, 10_000_000])
def test_the_limits_themselves_are_accepted(gateway, amount):
    assert gateway.create(order_id="ORDER-1", amount=Decimal(amount)).amount == amount


@pytest.mark.parametrize("order_id", ["", "abcd", "abc/d", "ab cd", "abcdé", "abcde\n", "../.."])
def test_an_order_id_outside_the_rule_is_refused_without_a_call(crafted, order_id):
    gateway, asked = crafted(httpx.Response(500))
    with pytest.raises(InvalidOrderId):
        gateway.create(order_id=order_id, amount=FIFTY)
    assert asked == []


@pytest.mark.parametrize("txn_id", ["", "..", "a/b", "a?b", "a b", "x" * 101])
def test_a_txn_id_that_is_no_path_segment_is_refused_without_a_call(crafted, txn_id):
    gateway, asked = crafted(httpx.Response(500))
    for call in (gateway.status, gateway.cancel, gateway.checkout_url):
        with pytest.raises(GatewayRefused):
            call(txn_id)
    assert asked == []


def test_a_wrong_key_is_unauthorized_and_not_repeated(gateway, clock):
    with pytest.raises(GatewayUnauthorized):
        replace(gateway, api_key="wrong-key").create(order_id="ORDER-1", amount=FIFTY)
    assert (known_transactions(), clock.slept) == ([], [])


def test_a_refusal_carries_status_and_a_safe_message_and_is_not_repeated(crafted):
    said = {"message": f"no\x1b[31m because of {KEY} and {SECRET} " + "x" * 500}
    gateway, asked = crafted(httpx.Response(422, json=said))
    with pytest.raises(GatewayRefused) as refused:
        gateway.create(order_id="ORDER-1", amount=FIFTY)
    assert (refused.value.status_code, len(asked)) == (422, 1)
    assert refused.value.message.startswith("no[31m because of *** and *** xxx")
    assert len(refused.value.message) == 200


def test_a_refusal_in_html_has_an_empty_message(crafted):
    gateway, _ = crafted(httpx.Response(404, text="<h1>Not found</h1>"))
    with pytest.raises(GatewayRefused) as refused:
        gateway.status("TXN1")
    assert (refused.value.status_code, refused.value.message) == (404, "")


# --- patience ---


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"), httpx.Response(408), httpx.Response(302),
    ],
)  # fmt: skip
def test_trouble_on_the_way_is_unavailable_after_three_tries(crafted, trouble):
    gateway, asked = crafted(trouble)
    with pytest.raises(GatewayUnavailable):
        gateway.create(order_id="ORDER-1", amount=FIFTY)
    assert len(asked) == 3
    assert {request.url.path for request in asked} == {"/api/v2/create-transaction/demo/ORDER-1"}


def test_nothing_is_sent_at_the_deadline(crafted):
    gateway, asked = crafted(httpx.ReadTimeout("x"))
    with pytest.raises(GatewayUnavailable):
        gateway.create(order_id="ORDER-1", amount=FIFTY, deadline=NOW)
    assert asked == []


def test_nothing_is_repeated_at_or_after_the_deadline(crafted):
    gateway, asked = crafted(httpx.ReadTimeout("x"))
    with pytest.raises(GatewayUnavailable):
        gateway.create(
            order_id="ORDER-1", amount=FIFTY, deadline=NOW + timedelta(milliseconds=100)
        )
    assert len(asked) == 1


def test_the_budget_ends_the_tries(crafted, clock):
    gateway, asked = crafted(httpx.ReadTimeout("x"), retries=clock.policy(budget=0.1))
    with pytest.raises(GatewayUnavailable):
        gateway.status("TXN1")
    assert (len(asked), clock.slept) == (1, [])


def test_a_try_gets_no_more_seconds_than_the_budget_leaves(crafted, clock):
    gateway, asked = crafted(httpx.Response(500), retries=clock.policy(budget=5.0))
    with pytest.raises(GatewayUnavailable):
        gateway.cancel("TXN1")
    reads = [request.extensions["timeout"]["read"] for request in asked]
    assert reads[0] == 5.0
    assert reads[2] == pytest.approx(5.0 - sum(clock.slept))
    assert {request.extensions["timeout"]["connect"] for request in asked} == {3.0}


@pytest.mark.parametrize("header", [{}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}])
def test_a_rate_limit_without_seconds_counts_as_four(crafted, header):
    gateway, asked = crafted(httpx.Response(429, headers=header))
    with pytest.raises(GatewayRateLimited) as limited:
        gateway.status("TXN1")
    assert (limited.value.retry_after, len(asked)) == (4.0, 1)


def test_a_rate_limit_of_nan_counts_as_four(crafted):
    gateway, _ = crafted(httpx.Response(429, headers={"Retry-After": "nan"}))
    with pytest.raises(GatewayRateLimited) as limited:
        gateway.status("TXN1")
    assert limited.value.retry_after == 4.0


# --- what answers may look like ---

STATUS = {
    "txn_id": "TXN1",
    "order_id": "ORDER-1",
    "amount": 50_000,
    "is_sandbox": False,
    "status": "pending",
    "completed_at": None,
}


@pytest.mark.parametrize(
    ("spelling", "status"),
    [
        ("canceled", GatewayStatus.CANCELLED), ("cancelled", GatewayStatus.CANCELLED),
        ("Completed", GatewayStatus.COMPLETED), ("pending", GatewayStatus.PENDING),
    ],
)  # fmt: skip
def test_known_spellings_of_a_status(crafted, caplog, spelling, status):
    gateway, _ = crafted(httpx.Response(200, json=STATUS | {"status": spelling}))
    assert gateway.status("TXN1").status == status
    assert caplog.records == []


def test_an_unknown_status_is_pending_and_an_alert(crafted, caplog):
    gateway, _ = crafted(httpx.Response(200, json=STATUS | {"status": "settling"}))
    assert gateway.status("TXN1").status == GatewayStatus.PENDING
    (alert,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert alert.gateway_status == "settling"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-22T03:00:00Z", NOW),
        ("2026-11-22T03:00:00.123456789Z", NOW.replace(microsecond=123456)),
        ("2026-11-22T10:00:00.5+07:00", NOW.replace(microsecond=500_000)),
        ("2026-11-22 03:00:00", NOW),
        ("", None),
        (None, None),
    ],
)
def test_times_with_and_without_nanoseconds(crafted, written, moment):
    gateway, _ = crafted(httpx.Response(200, json=STATUS | {"completed_at": written}))
    assert gateway.status("TXN1").completed_at == moment


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "50000"}, {"amount": 50_000.5}, {"amount": -1}, {"amount": True},
        {"amount": 10**23}, {"amount": None}, {"txn_id": 7}, {"txn_id": "../x"},
        {"order_id": ""}, {"status": 1}, {"is_sandbox": None}, {"is_sandbox": "false"},
        {"completed_at": "soon"}, {"completed_at": 5},
    ],
)  # fmt: skip
def test_an_answer_that_breaks_the_contract_is_unavailable(crafted, change):
    gateway, _ = crafted(httpx.Response(200, json=STATUS | change))
    with pytest.raises(GatewayUnavailable):
        gateway.status("TXN1")


def test_whole_amounts_written_as_floats_are_read(crafted):
    gateway, _ = crafted(httpx.Response(200, json=STATUS | {"amount": 50_000.0}))
    assert gateway.status("TXN1").amount == FIFTY


def test_the_base_amount_is_sent_as_a_whole_number_with_the_key(crafted):
    made = STATUS | {"fee": 660, "total_payment": 50_660, "qr_string": "00", "expired_at": None}
    gateway, asked = crafted(httpx.Response(200, json=made))
    gateway.create(order_id="ORDER-1", amount=Decimal("50000.00"))
    assert asked[0].content == b'{"method":"qris","amount":50000}'
    assert asked[0].headers["X-Api-Key"] == KEY


def test_a_create_for_another_order_is_never_returned(crafted):
    made = STATUS | {"fee": 660, "total_payment": 50_660, "qr_string": "00", "expired_at": None}
    gateway, asked = crafted(httpx.Response(200, json=made | {"order_id": "ORDER-2"}))
    with pytest.raises(GatewayMismatch):
        gateway.create(order_id="ORDER-1", amount=FIFTY)
    assert len(asked) == 1


def test_a_total_that_is_not_amount_plus_fee_is_an_alert_and_binding(crafted, caplog):
    made = STATUS | {"fee": 660, "total_payment": 50_000, "qr_string": "00", "expired_at": None}
    gateway, _ = crafted(httpx.Response(200, json=made))
    assert gateway.create(order_id="ORDER-1", amount=FIFTY).total_payment == FIFTY
    assert [r.levelno for r in caplog.records if r.name.startswith("payments")] == [logging.ERROR]


# --- webhook ---


def webhook_body(**changes):
    return json.dumps(STATUS | {"status": "completed"} | changes).encode()


@pytest.mark.parametrize("name", ["X-Secret", "x-secret"])
def test_a_webhook_with_the_secret_is_read_whatever_its_content_type(crafted, name):
    gateway, _ = crafted(httpx.Response(500))
    headers = {"Content-Type": "application/x-www-form-urlencoded", name: SECRET}
    event = gateway.parse_webhook(headers, webhook_body(extra="x"))
    assert (event.txn_id, event.order_id, event.status, event.amount) == (
        "TXN1", "ORDER-1", "completed", FIFTY,
    )  # fmt: skip
    assert event.body["extra"] == "x"


@pytest.mark.parametrize(
    "headers", [{}, {"X-Secret": ""}, {"X-Secret": "wrong"}, {"X-Secret": "é"}, {"Secret": SECRET}]
)
def test_a_webhook_without_the_right_secret_is_refused(crafted, headers):
    gateway, _ = crafted(httpx.Response(500))
    with pytest.raises(WebhookRefused):
        gateway.parse_webhook(headers, webhook_body())


@pytest.mark.parametrize("headers", [{}, {"X-Secret": ""}])
def test_with_no_secret_set_every_webhook_is_refused(crafted, headers):
    gateway, _ = crafted(httpx.Response(500), webhook_secret="")
    with pytest.raises(WebhookRefused):
        gateway.parse_webhook(headers, webhook_body())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"txn_id=1", b"[" * 60_000,
        b'{"a": ' * 10_000 + b"1" + b"}" * 10_000, webhook_body(big="x" * 65_536),
        webhook_body(amount="50000"), webhook_body(amount=float("nan")),
        webhook_body(amount=True), webhook_body(amount=10**23), webhook_body(amount=1.5),
        webhook_body(txn_id=None), webhook_body(txn_id="a/b"), webhook_body(order_id=5),
        webhook_body(status=None), webhook_body(is_sandbox="no"),
        webhook_body(note="\x00"), webhook_body(note="\ud800"), webhook_body(note=float("inf")),
        webhook_body().replace(b"50000", b"1" * 5_000),
    ],
)  # fmt: skip
def test_a_malformed_webhook_is_told_from_a_forged_one(crafted, body):
    gateway, _ = crafted(httpx.Response(500))
    with pytest.raises(WebhookMalformed):
        gateway.parse_webhook({"X-Secret": SECRET}, body)
    with pytest.raises(WebhookRefused):
        gateway.parse_webhook({}, body)


# --- the rest ---


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        (6_000, 352), (99_000, 1_003), (7_805, 365), (500, 314), (105_000, 1_045),
        (105_001, 1_051), (10_000_000, 100_000),
    ],
)  # fmt: skip
def test_the_estimated_fee_is_the_known_one(crafted, amount, fee):
    gateway, _ = crafted(httpx.Response(500))
    assert gateway.estimate_fee(Decimal(amount)) == Decimal(fee)


@pytest.mark.parametrize("amount", [500, 777, 104_999, 105_000, 105_001, 123_457, 10_000_000])
def test_the_estimate_agrees_with_the_fee_that_binds(gateway, amount):
    made = gateway.create(order_id="ORDER-1", amount=Decimal(amount))
    assert gateway.estimate_fee(Decimal(amount)) == made.fee


def test_the_checkout_page_is_built_from_the_transaction(crafted):
    gateway, _ = crafted(httpx.Response(500))
    page = "https://gateway.test/pay-v2/TXN1?qris_only=1"
    assert gateway.checkout_url("TXN1") == page
    assert gateway.checkout_url("TXN1", "https://t.me/a?start=1&b=2") == (
        page + "&redirect=https%3A%2F%2Ft.me%2Fa%3Fstart%3D1%26b%3D2"
    )


def test_the_checkout_page_exists_at_the_stand_in(gateway):
    url = httpx.URL(gateway.checkout_url(gateway.create(order_id="ORDER-1", amount=FIFTY).txn_id))
    assert Client().get(url.raw_path.decode()).status_code == 200


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError(f"refused {KEY}"), httpx.Response(500, text=f"{KEY} {SECRET}"),
        httpx.Response(400, json={"message": f"{KEY} {SECRET}"}), httpx.Response(401, text=KEY),
        httpx.Response(200, text=f"<p>{KEY} {SECRET}"), httpx.Response(200, json={"txn_id": KEY}),
        httpx.Response(429, text=KEY),
    ],
)  # fmt: skip
def test_neither_key_nor_secret_reach_a_log_an_error_or_a_repr(crafted, caplog, trouble):
    caplog.set_level(logging.DEBUG)
    gateway, _ = crafted(trouble)
    said = [repr(gateway), str(gateway)]
    for call in (
        lambda: gateway.create(order_id="ORDER-1", amount=FIFTY),
        lambda: gateway.status("TXN1"),
        lambda: gateway.parse_webhook({"X-Secret": f"{SECRET}x"}, webhook_body()),
        lambda: gateway.parse_webhook({"X-Secret": SECRET}, SECRET.encode()),
    ):
        with pytest.raises(gateways.base.GatewayError) as caught:
            call()
        said += [str(caught.value), repr(caught.value), repr(vars(caught.value))]
    said += [repr(vars(record)) for record in caplog.records]
    assert caplog.records
    assert not [text for text in said if KEY in text or SECRET in text]


def test_an_unknown_gateway_is_a_mistake_in_the_settings(settings):
    with pytest.raises(ImproperlyConfigured, match="nonesuch"):
        gateways.get_gateway("nonesuch")


def test_the_gateway_is_chosen_by_the_settings(settings):
    settings.PAKASIR_API_KEY = "another-key"
    chosen = gateways.get_gateway()
    assert (chosen.name, chosen.api_key) == ("pakasir", "another-key")
