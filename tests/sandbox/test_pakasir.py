"""The stand-in keeps the gateway's contract, seen from outside over its HTTP API."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Event
from urllib.parse import quote

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from sandbox.pakasir import faults, transactions, webhook
from sandbox.pakasir.models import PakasirTransaction, PakasirWindow, forget_everything

pytestmark = pytest.mark.django_db

ROOT = "/sandbox/pakasir"
KEY = {"X-Api-Key": "sandbox-api-key"}
KINDS = [
    "timeout", "timeout_after_effect", "429", "500", "html", "empty", "slow", "wrong_amount",
    "sandbox_flag",
]  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(settings):
    settings.SANDBOX_PAKASIR_LIMITS = False


@pytest.fixture
def received(monkeypatch):
    """Collect the webhook calls; the shop answers 200."""
    calls: list[httpx.Request] = []

    def shop(request):
        calls.append(request)
        return httpx.Response(200)

    monkeypatch.setattr(webhook, "transport_factory", lambda: httpx.MockTransport(shop))
    return calls


def create(client, order_id="ORDER-1", amount=50_000, *, method="qris", headers=KEY, slug=None):
    return client.post(
        f"{ROOT}/api/v2/create-transaction/{slug or 'quickcart-demo'}/{order_id}",
        {"method": method, "amount": amount},
        content_type="application/json",
        headers=headers,
    )


def status(client, txn_id, headers=KEY):
    url = f"{ROOT}/api/v2/transaction-status/quickcart-demo/{txn_id}"
    return client.get(url, headers=headers)


def cancel(client, txn_id, headers=KEY):
    url = f"{ROOT}/api/v2/cancel-transaction/quickcart-demo/{txn_id}"
    return client.post(url, headers=headers)


def pay(client, txn_id, **body):
    url = f"{ROOT}/transactions/{txn_id}/pay/"
    return client.post(url, body, content_type="application/json")


def fault(client, call, kind, **more):
    body = {"call": call, "kind": kind} | more
    return client.post(f"{ROOT}/api/faults/", body, content_type="application/json")


def test_create_answers_the_published_fields(client):
    answer = create(client, amount=6_000).json()
    assert set(answer) == {
        "txn_id", "project", "order_id", "amount", "fee", "total_payment", "payment_method",
        "qr_string", "va_number", "expired_at", "is_sandbox", "status", "completed_at",
    }  # fmt: skip
    assert (answer["amount"], answer["fee"], answer["total_payment"]) == (6_000, 352, 6_352)
    assert (answer["is_sandbox"], answer["status"], answer["completed_at"]) == (
        False, "pending", None,
    )  # fmt: skip


def test_expires_a_day_later_written_with_nanoseconds(client):
    written = create(client).json()["expired_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", written)
    expires = datetime.fromisoformat(written[:26] + "+00:00")
    assert abs(expires - timezone.now() - timedelta(days=1)) < timedelta(minutes=1)


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong"}, {"X-Api-Key": "é"}])
def test_without_the_key_nothing_is_answered(client, headers):
    txn_id = create(client).json()["txn_id"]
    refused = [
        create(client, "ORDER-2", headers=headers),
        status(client, txn_id, headers=headers),
        cancel(client, txn_id, headers=headers),
    ]
    assert [answer.status_code for answer in refused] == [401, 401, 401]
    assert [t.status for t in PakasirTransaction.objects.all()] == ["pending"]


def test_another_project_is_not_found(client):
    assert create(client, slug="other").status_code == 404


@pytest.mark.parametrize("amount", [499, 10_000_001, 0, -1, 500.5, "500", True, None])
def test_amounts_out_of_range_or_not_whole_are_refused(client, amount):
    assert create(client, amount=amount).status_code == 400
    assert not PakasirTransaction.objects.exists()


@pytest.mark.parametrize("amount", [500, 10_000_000])
def test_the_limits_themselves_are_accepted(client, amount):
    assert create(client, amount=amount).status_code == 200


@pytest.mark.parametrize("order_id", ["abcd", "ab cde", "abcd%2Fe", "abcdé", "abcd:e", "abcde%0A"])
def test_order_ids_outside_the_rule_are_refused(client, order_id):
    assert create(client, order_id).status_code in {400, 404}
    assert not PakasirTransaction.objects.exists()


def test_every_permitted_character_is_accepted_in_an_order_id(client):
    assert create(client, "aZ9._~-").json()["order_id"] == "aZ9._~-"


def test_other_methods_and_broken_bodies_are_refused(client):
    url = f"{ROOT}/api/v2/create-transaction/quickcart-demo/ORDER-1"
    bodies = [b"{", b"[]", b"", b'"qris"', b"[" * 60_000]
    answers = [client.post(url, b, content_type="application/json", headers=KEY) for b in bodies]
    answers.append(create(client, method="payment_link"))
    assert {answer.status_code for answer in answers} == {400}


def test_the_same_order_id_finds_the_same_transaction_even_cancelled(client):
    first = create(client).json()
    assert create(client).json() == first
    cancel(client, first["txn_id"])
    assert create(client).json() == first | {"status": "canceled"}
    assert PakasirTransaction.objects.count() == 1


def test_the_same_order_id_with_another_amount_is_refused(client):
    create(client, amount=50_000)
    assert create(client, amount=60_000).status_code == 400


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        (500, 314), (6_000, 352), (7_805, 365), (12_000, 394), (99_000, 1_003), (105_000, 1_045),
        (105_001, 1_051), (10_000_000, 100_000),
    ],
)  # fmt: skip
def test_fees_to_the_rupiah_for_everyone(client, amount, fee):
    answer = client.get(f"{ROOT}/api/v2/payment-fee/{amount}").json()
    assert (answer["qris"], answer["bri_va"]) == (fee, 3500)


def test_an_absurd_amount_has_no_fee(client):
    assert client.get(f"{ROOT}/api/v2/payment-fee/{'9' * 23}").status_code == 400


def read_tlv(text):
    fields, at = {}, 0
    while at < len(text):
        length = int(text[at + 2 : at + 4])
        fields[text[at : at + 2]] = text[at + 4 : at + 4 + length]
        at += 4 + length
    return fields


def crc_by_division(data: bytes) -> int:
    """CRC-16/CCITT-FALSE as a remainder of polynomials, written unlike the stand-in's."""
    value = int.from_bytes(data, "big") << 16
    value ^= 0xFFFF << (len(data) * 8)
    for bit in range(len(data) * 8 + 15, 15, -1):
        if value >> bit & 1:
            value ^= 0x11021 << (bit - 16)
    return value


def test_the_crc_reference_value():
    assert crc_by_division(b"123456789") == 0x29B1


def test_the_qr_is_emv_with_the_total_and_a_right_crc(client):
    answer = create(client, amount=50_000).json()
    text = answer["qr_string"]
    fields = read_tlv(text)
    assert list(fields) == sorted(fields)
    assert (fields["00"], fields["01"], fields["53"], fields["58"]) == ("01", "12", "360", "ID")
    assert fields["54"] == str(answer["total_payment"]) == "50660"
    assert read_tlv(fields["51"])["00"] == "ID.CO.QRIS.WWW"
    assert fields["63"] == f"{crc_by_division(text[:-4].encode()):04X}"


def test_status_has_its_own_shape(client):
    txn_id = create(client).json()["txn_id"]
    assert status(client, txn_id).json() == {
        "txn_id": txn_id,
        "order_id": "ORDER-1",
        "amount": 50_000,
        "is_sandbox": False,
        "status": "pending",
        "completed_at": None,
    }
    assert status(client, "TXN-NONE").status_code == 404


def test_cancel_is_spelled_canceled_and_never_undoes_a_payment(client):
    unpaid, paid = (create(client, order).json()["txn_id"] for order in ("ORDER-1", "ORDER-2"))
    pay(client, paid, webhook="drop")
    assert list(cancel(client, unpaid).json()) == ["message"]
    assert cancel(client, unpaid).status_code == 200
    assert cancel(client, paid).status_code == 400
    assert status(client, unpaid).json()["status"] == "canceled"
    assert status(client, paid).json()["status"] == "completed"


def test_status_is_limited_to_once_in_four_seconds_per_transaction(client, settings):
    first, second = (create(client, order).json()["txn_id"] for order in ("ORDER-1", "ORDER-2"))
    settings.SANDBOX_PAKASIR_LIMITS = True
    assert [status(client, t).status_code for t in (first, second, first)] == [200, 200, 429]
    assert status(client, first)["Retry-After"] == "4"
    window = PakasirWindow.objects.get(name=f"status {first}")
    window.passed = [window.passed[0] - 4.1]
    window.save()
    assert status(client, first).status_code == 200


def test_create_and_cancel_are_limited_to_two_a_second_each(client, settings):
    settings.SANDBOX_PAKASIR_LIMITS = True
    created = [create(client) for _ in range(3)]
    cancelled = [cancel(client, created[0].json()["txn_id"]) for _ in range(3)]
    assert [answer.status_code for answer in created] == [200, 200, 429]
    assert [answer.status_code for answer in cancelled] == [200, 200, 429]
    assert created[2]["Retry-After"] == "1"


def test_paying_completes_and_tells_the_shop_with_the_secret(client, received):
    txn_id = create(client).json()["txn_id"]
    assert pay(client, txn_id, webhook="send").json() == {
        "status": "completed",
        "webhook_statuses": [200],
    }
    (call,) = received
    assert call.headers["X-Secret"] == "sandbox-webhook-secret"
    assert json.loads(call.content) == status(client, txn_id).json()
    assert json.loads(call.content)["status"] == "completed"


@pytest.mark.parametrize(("mode", "statuses"), [("drop", []), ("duplicate", [200, 200])])
def test_the_webhook_can_be_lost_or_doubled(client, received, mode, statuses):
    answer = pay(client, create(client).json()["txn_id"], webhook=mode).json()
    assert (answer["webhook_statuses"], len(received)) == (statuses, len(statuses))


def test_a_delayed_webhook_comes_after_the_answer(client, monkeypatch):
    came = Event()

    def shop(request):
        came.set()
        return httpx.Response(200)

    monkeypatch.setattr(webhook, "transport_factory", lambda: httpx.MockTransport(shop))
    answer = pay(client, create(client).json()["txn_id"], delay_ms=50).json()
    assert answer == {"status": "completed", "webhook_statuses": []}
    assert came.wait(5)


def test_an_unreachable_shop_is_status_zero_and_the_payment_stands(client, settings):
    settings.SANDBOX_PAKASIR_WEBHOOK_URL = "http://127.0.0.1:9/webhooks/pakasir/"
    txn_id = create(client).json()["txn_id"]
    assert pay(client, txn_id).json()["webhook_statuses"] == [0]
    assert status(client, txn_id).json()["status"] == "completed"


def test_another_amount_arrives_as_status_and_webhook_say(client, received):
    txn_id = create(client).json()["txn_id"]
    pay(client, txn_id, amount=49_000)
    assert status(client, txn_id).json()["amount"] == 49_000
    assert json.loads(received[0].content)["amount"] == 49_000


def test_a_cancelled_qr_can_be_paid_late_but_not_after_a_day(client, received):
    late, dead = (create(client, order).json()["txn_id"] for order in ("ORDER-1", "ORDER-2"))
    cancel(client, late)
    PakasirTransaction.objects.filter(txn_id=dead).update(expired_at=timezone.now())
    assert (pay(client, late).status_code, pay(client, dead).status_code) == (200, 400)
    assert status(client, dead).json()["status"] == "pending"


@pytest.mark.parametrize(
    "body",
    [{"webhook": "x"}, {"webhook": []}, {"amount": "1"}, {"amount": 0}, {"delay_ms": -1}],
)
def test_a_wrong_order_to_pay_is_refused_and_pays_nothing(client, received, body):
    txn_id = create(client).json()["txn_id"]
    assert pay(client, txn_id, **body).status_code == 400
    assert (status(client, txn_id).json()["status"], received) == ("pending", [])
    assert pay(client, "TXN-NONE").status_code == 404


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
def test_eight_people_paying_at_once_complete_it_once():
    txn_id = transactions.find_or_create(order_id="ORDER-1", amount=50_000).txn_id
    start = Barrier(8)

    def one(_):
        try:
            start.wait(10)
            return transactions.pay(txn_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [False] * 7 + [True]


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
def test_eight_creates_at_once_find_one_transaction():
    start = Barrier(8)

    def one(_):
        try:
            start.wait(10)
            return transactions.find_or_create(order_id="ORDER-1", amount=50_000).txn_id
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(8)))) == 1
    assert PakasirTransaction.objects.count() == 1


def test_paying_again_tells_nobody_twice(client, received):
    txn_id = create(client).json()["txn_id"]
    pay(client, txn_id)
    before = status(client, txn_id).json()
    assert pay(client, txn_id, amount=1).json() == {"status": "completed", "webhook_statuses": []}
    assert (status(client, txn_id).json(), len(received)) == (before, 1)


def test_the_list_shows_the_newest_last(client):
    create(client, "ORDER-1", 6_000)
    create(client, "ORDER-2", 7_805)
    listed = client.get(f"{ROOT}/api/transactions/").json()["transactions"]
    assert [(t["order_id"], t["fee"], t["status"]) for t in listed] == [
        ("ORDER-1", 352, "pending"),
        ("ORDER-2", 365, "pending"),
    ]
    assert set(listed[0]) == {
        "txn_id", "order_id", "amount", "fee", "total_payment", "status", "qr_string",
        "created_at", "expired_at", "completed_at", "merchant",
    }  # fmt: skip


def test_the_list_tells_a_bank_app_all_it_shows(client, received):
    create(client)
    (listed,) = client.get(f"{ROOT}/api/transactions/").json()["transactions"]
    assert (listed["merchant"], listed["completed_at"]) == ("QUICKCART SANDBOX", None)
    assert listed["merchant"] in listed["qr_string"]
    pay(client, listed["txn_id"])
    (paid,) = client.get(f"{ROOT}/api/transactions/").json()["transactions"]
    created, completed, expired = (
        datetime.fromisoformat(paid[name]) for name in ("created_at", "completed_at", "expired_at")
    )
    assert created < completed < expired


def test_only_the_newest_transactions_are_listed_on_request(client):
    made = [create(client, order_id=f"ORDER-{number}").json()["txn_id"] for number in range(3)]

    def listed(query):
        answer = client.get(f"{ROOT}/api/transactions/{query}").json()["transactions"]
        return [each["txn_id"] for each in answer]

    assert listed("?limit=2") == made[1:]
    assert listed("") == listed("?limit=x") == made


def test_one_fault_is_taken_back_and_the_others_stay(client):
    first, other = (fault(client, "status", kind).json()["id"] for kind in ("500", "html"))
    assert client.delete(f"{ROOT}/api/faults/{first}/").json() == {}
    assert [each["id"] for each in client.get(f"{ROOT}/api/faults/").json()["faults"]] == [other]
    assert client.delete(f"{ROOT}/api/faults/{first}/").status_code == 404


def test_a_fault_is_used_as_often_as_asked_and_counted(client):
    made = fault(client, "status", "500", times=2).json()
    txn_id = create(client).json()["txn_id"]
    assert [status(client, txn_id).status_code for _ in range(3)] == [500, 500, 200]
    (listed,) = client.get(f"{ROOT}/api/faults/").json()["faults"]
    assert (listed["id"], listed["used"], listed["times"]) == (made["id"], 2, 2)
    assert client.delete(f"{ROOT}/api/faults/").json() == {}
    assert client.get(f"{ROOT}/api/faults/").json() == {"faults": []}


@pytest.mark.parametrize(
    ("kind", "code", "content", "exists"),
    [
        ("timeout", 504, b"", False),
        ("timeout_after_effect", 504, b"", True),
        ("429", 429, b"message", False),
        ("500", 500, b"message", False),
        ("html", 200, b"<!doctype html>", False),
        ("empty", 200, b"", False),
        ("slow", 200, b"txn_id", True),
        ("wrong_amount", 200, b'"amount": 51000', True),
        ("sandbox_flag", 200, b'"is_sandbox": true', True),
    ],
)
def test_what_each_kind_of_fault_does_to_create(client, monkeypatch, kind, code, content, exists):
    slept: list[float] = []
    monkeypatch.setattr(faults, "sleep", slept.append)
    fault(client, "create", kind)
    answer = create(client)
    assert (answer.status_code, content in answer.content) == (code, True)
    assert PakasirTransaction.objects.exists() is exists
    waits = {"timeout": 15.0, "timeout_after_effect": 15.0, "slow": 3.0}
    assert slept == [waits.get(kind, 0.0)]


@pytest.mark.parametrize("call", ["create", "status", "cancel", "fee"])
def test_every_kind_is_accepted_for_every_call(client, call):
    ids = {fault(client, call, kind).json()["id"] for kind in KINDS}
    assert len(ids) == len(KINDS)


@pytest.mark.parametrize(
    "body",
    [
        {"call": "create", "kind": "unknown"}, {"call": "x", "kind": "500"}, {},
        {"call": "create", "kind": "500", "times": 0},
        {"call": "create", "kind": "slow", "delay_ms": -1},
    ],
)  # fmt: skip
def test_an_unknown_fault_is_refused(client, body):
    answer = client.post(f"{ROOT}/api/faults/", body, content_type="application/json")
    assert answer.status_code == 400


def checkout(client, redirect="", order_id="ORDER-1"):
    txn_id = create(client, order_id).json()["txn_id"]
    return f"{ROOT}/pay-v2/{txn_id}?qris_only=1&redirect={quote(redirect, safe='')}"


def test_the_checkout_page_shows_the_code_and_pays(client, received):
    url = checkout(client, "https://shop.example/a?b=c&d=e")
    shown = client.get(url).content.decode()
    parts = ("<svg", "Rp50.660", "ORDER-1", 'data-status="pending"', "<button>")
    assert [part for part in parts if part not in shown] == []
    paid = client.post(url)
    # Not straight to the shop: `form-action` of the page's policy does not let a form lead away.
    assert (paid.status_code, paid["Location"]) == (302, url)
    shown = client.get(url).content.decode()
    assert 'data-status="completed"' in shown
    assert "Pembayaran diterima" in shown
    assert "<button>" not in shown
    assert 'href="https://shop.example/a?b=c&amp;d=e"' in shown
    assert len(received) == 1


@pytest.mark.parametrize(
    ("redirect", "href"),
    [
        ("https://t.me/quickcart_demo_bot", "/sandbox/"),
        ("https://t.me/QuickCart_Demo_Bot?start=paid", "/sandbox/"),
        ("https://t.me/another_bot", "https://t.me/another_bot"),
        ("https://t.me.example/quickcart_demo_bot", "https://t.me.example/quickcart_demo_bot"),
        ("tg://resolve?domain=x", "tg://resolve?domain=x"),
    ],
)
def test_the_way_back_to_our_own_bot_is_the_chat_here(client, redirect, href):
    assert f'href="{href}"' in client.get(checkout(client, redirect)).content.decode()


@pytest.mark.parametrize("redirect", ["javascript:alert(1)", "data:text/html,x", "//[", ""])
def test_the_checkout_page_has_no_way_back_that_runs_a_script(client, redirect):
    shown = client.get(checkout(client, redirect)).content.decode()
    assert "Kembali ke toko" not in shown
    assert "alert" not in shown
    assert client.get(f"{ROOT}/pay-v2/TXN-NONE").status_code == 404


def test_a_code_that_ran_out_cannot_be_paid_on_the_page(client, received):
    url = checkout(client)
    PakasirTransaction.objects.update(expired_at=timezone.now())
    shown = client.get(url).content.decode()
    assert "Kedaluwarsa" in shown
    assert "<button>" not in shown
    assert client.post(url).status_code == 400
    assert received == []


def test_a_cancelled_code_can_still_be_paid_on_the_page(client, received):
    url = checkout(client)
    cancel(client, PakasirTransaction.objects.get().txn_id)
    assert "Dibatalkan toko" in client.get(url).content.decode()
    client.post(url)
    assert "Lunas" in client.get(url).content.decode()
    assert len(received) == 1


def test_no_csrf_token_is_needed(client, received):
    client.handler.enforce_csrf_checks = True
    txn_id = create(client).json()["txn_id"]
    assert client.post(f"{ROOT}/pay-v2/{txn_id}").status_code == 302
    assert fault(client, "fee", "500").status_code == 200
    assert pay(client, txn_id).status_code == 200


def test_forgetting_everything_leaves_nothing(client):
    create(client)
    fault(client, "fee", "500")
    forget_everything()
    assert client.get(f"{ROOT}/api/transactions/").json() == {"transactions": []}
    assert client.get(f"{ROOT}/api/faults/").json() == {"faults": []}
