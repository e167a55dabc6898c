"""No audit row of any service holds a value about a person in clear, in either database.

Every service that writes an entry is driven here with names that are easily recognised. A new one
fails the last test until it is driven as well.
"""

import ast
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections

from accounts.models import Customer
from accounts.services.customers import set_role
from accounts.services.renaming import rename_customer
from accounts.services.staff_balance import correct_balance, transfer_to_balance
from accounts.services.staff_chats import add_staff_chat, remove_staff_chat, update_staff_chat
from audit.models import AuditEntry
from audit.personal import open_changes
from audit.services import ship_audit
from backoffice.services import update_store_settings
from backoffice.staff_services import (
    create_staff,
    delete_role,
    record_new_password,
    save_role,
    update_staff,
)
from catalog.services.categories import create_category, delete_category, update_category
from catalog.services.photos import remove_photo, upload_photo
from catalog.services.products import put_on_sale, take_off_sale, update_product
from catalog.services.stock import import_stock
from catalog.services.withdrawal import withdraw_batch
from core.models import OutboxMessage
from orders.refund_terms import RefundTerms
from orders.services.refund_policies import set_refund_policy
from orders.services.refund_quotes import quote_order
from orders.services.refunds import record_refund_outside, refund_to_balance
from orders.services.voucher_editing import create_voucher, update_voucher
from payments.models import Case, CaseKind
from payments.services.cases import close_case
from payments.services.manual import mark_paid_by_hand
from telegram_bot.resending import resend_message
from tests.backoffice.pictures import png
from tests.world import World

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "catalog", "orders", "payments", "telegram_bot", "backoffice", "operations")
TYPED = (
    "Wulandari Kusuma",
    "Wulandari Baru",
    "Paid back to Wulandari",
    "Nobody knows Hartono",
    "ratnasari.dewi",
    "Ratnasari",
    "Dewiana",
    "ratnasari@contoh.id",
    "Grup Bu Prameswari",
    "Toko Bu Prameswari",
)
"""What goes into entries and comes out of them again, for who may read it."""
PERSONAL = (*TYPED, "wulan_kusuma", "wulandari@contoh.id", "+6281298765432", "-hash-of-dewi-")


class Drive:
    """Calls each service that writes an entry."""

    def __init__(self, world: World) -> None:
        self.world = world
        owner = User.objects.create_superuser("ratnasari.owner")
        self.by: dict[str, Any] = {
            "actor": f"staff:{owner.pk}",
            "source": "admin",
            "now": world.now,
        }

    def everything(self) -> None:
        self.customers()
        self.staff()
        self.groups()
        self.goods()
        self.settings()
        self.money()

    def money(self) -> None:
        """What staff type here stays out of the trail: it is kept with the payment."""
        customer = self.world.customer(name="Wulandari Kusuma")
        transfer_to_balance(customer_id=customer.pk, amount=Decimal(500), key="a", **self.by)
        correct_balance(customer_id=customer.pk, balance=Decimal(100), key="b", **self.by)
        order = self.world.qris(customer, self.world.product()).order
        assert order is not None
        note = "Wulandari Kusuma showed the transfer"
        mark_paid_by_hand(order_id=order.pk, reason=note, **self.by)
        set_refund_policy(terms=RefundTerms.parse("60|0:1|1:0.5"), **self.by)
        [quote] = quote_order(order_id=order.pk, now=self.world.now)
        refund_to_balance(request=quote.request, **self.by)
        other = self.world.paid(self.world.customer(balance=50_000), self.world.product())
        [quote] = quote_order(order_id=other.pk, now=self.world.now)
        record_refund_outside(request=quote.request, note=note, **self.by)
        message = OutboxMessage.objects.create(
            recipient=customer.pk,
            kind="order_delivered",
            references={"order_id": order.pk},
            dedupe_key="again",
            priority=10,
            state="failed",
        )
        resend_message(message_id=message.pk, **self.by)

    def customers(self) -> None:
        contact = {
            "username": "wulan_kusuma",
            "email": "wulandari@contoh.id",
            "whatsapp_number": "+6281298765432",
        }
        wulan = self.world.customer(name="Wulandari Kusuma", **contact)
        rename_customer(customer_id=wulan.pk, name="Wulandari Baru", **self.by)
        for role in ("is_reseller", "is_banned"):
            set_role(customer_id=wulan.pk, role=role, value=True, **self.by)
        self.cases(self.world.customer(name="Wulandari Kusuma"))

    def cases(self, customer: Customer) -> None:
        payment = self.world.qris(customer, self.world.product())
        at: dict[str, Any] = {"kind": CaseKind.AMOUNT_DIFFERS, "opened_at": self.world.now}
        for key, belongs, note in (
            ("1", {"payment": payment}, "Paid back to Wulandari"),
            ("2", {"order": payment.order}, "Paid back to Wulandari"),
            ("3", {}, "Nobody knows Hartono"),
        ):
            case = Case.objects.create(key=key, **belongs, **at)
            close_case(case_id=case.pk, resolution=note, **self.by)
        order = self.world.paid(self.world.customer(balance=50_000), self.world.product())
        at["kind"] = CaseKind.DELIVERY_FAILED
        case = Case.objects.create(key="4", order=order, **at)
        note = "Paid back to Wulandari"
        close_case(case_id=case.pk, resolution=note, handed_over=True, **self.by)

    def staff(self) -> None:
        user = create_staff(username="ratnasari.dewi", password_hash="-hash-of-dewi-", **self.by)
        names = {
            "first_name": "Ratnasari",
            "last_name": "Dewiana",
            "email": "ratnasari@contoh.id",
        }
        update_staff(user_id=user.pk, changes=names, **self.by)
        record_new_password(user_id=user.pk, **self.by)
        role = save_role(role_id=None, name="Support", permissions=[], **self.by)
        save_role(role_id=role.pk, name="Help", permissions=[], **self.by)
        update_staff(user_id=user.pk, changes={}, roles=[role], **self.by)
        update_staff(user_id=user.pk, changes={}, roles=Group.objects.none(), **self.by)
        delete_role(role_id=role.pk, **self.by)

    def groups(self) -> None:
        fields = {"chat_id": -1001234567890, "title": "Grup Bu Prameswari"}
        group = add_staff_chat(fields=fields, **self.by)
        changes = {"title": "Toko Bu Prameswari"}
        update_staff_chat(staff_chat_id=group.pk, changes=changes, **self.by)
        remove_staff_chat(staff_chat_id=group.pk, **self.by)

    def goods(self) -> None:
        category = create_category(name="Kopi", **self.by)
        update_category(category_id=category.pk, changes={"name": "Teh"}, **self.by)
        delete_category(category_id=category.pk, **self.by)
        product = self.world.product(stock=0)
        update_product(product_id=product.pk, changes={"name": "Teh"}, **self.by)
        upload_photo(product_id=product.pk, image=png(8, 8), **self.by)
        remove_photo(product_id=product.pk, **self.by)
        report = import_stock(product_id=product.pk, contents=["a"], **self.by)
        assert report.batch is not None
        withdraw_batch(batch_id=report.batch.pk, **self.by)
        take_off_sale(product_id=product.pk, **self.by)
        put_on_sale(product_id=product.pk, **self.by)
        voucher = create_voucher(fields={"code": "HEMAT", "amount": 1_000}, **self.by)
        update_voucher(voucher_id=voucher.pk, changes={"amount": 2_000}, **self.by)

    def settings(self) -> None:
        update_store_settings(changes={"payment_minutes": 20}, **self.by)


@pytest.fixture
def _driven(world: World) -> None:
    Drive(world).everything()


def raw_rows(alias: str) -> list[str]:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_jsonb(entry)::text FROM audit_auditentry entry")
        return [text for (text,) in cursor.fetchall()]


@pytest.mark.usefixtures("_driven")
def test_no_row_holds_a_value_about_a_person_in_clear(world: World) -> None:
    ship_audit(now=world.now)
    for alias in ("default", "audit"):
        rows = raw_rows(alias)
        assert len(rows) == AuditEntry.objects.count() > 0
        told = [(value, row) for value in PERSONAL for row in rows if value.lower() in row.lower()]
        assert told == [], alias


@pytest.mark.usefixtures("_driven")
def test_who_may_read_the_trail_reads_them_all() -> None:
    told = str(open_changes(AuditEntry.objects.all()))
    assert [value for value in TYPED if value not in told] == []


@pytest.mark.usefixtures("_driven")
def test_every_service_that_writes_an_entry_is_driven() -> None:
    driven = set(AuditEntry.objects.values_list("action", flat=True))
    assert driven == {action for app in APPS for action in actions_of(ROOT / app)}


def actions_of(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        text = path.read_text()
        if "record_audit(" in text:
            for node in ast.walk(ast.parse(text)):
                yield from named_by(node)


def named_by(node: ast.AST) -> Iterator[str]:
    """Yield the actions that a call or an assignment names."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "").startswith(
        ("record_audit", "_record")
    ):
        yield from texts(*node.args)
        yield from texts(*(each.value for each in node.keywords if each.arg == "action"))
    if isinstance(node, ast.Assign) and "action" in ast.unparse(node.targets[0]):
        yield from texts(node.value)


def texts(*nodes: ast.expr) -> Iterator[str]:
    """Yield texts that stand in the nodes themselves; those inside a call or a dict are values."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Tuple):
            yield from texts(*node.elts)
        elif isinstance(node, ast.IfExp):
            yield from texts(node.body, node.orelse)
