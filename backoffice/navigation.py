"""The back office's menu, its name and its colours: what unfold asks for by dotted names."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models.options import Options
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from payments.models import Case

Entry = tuple[str, str, str]
"""Title, icon (Material Symbols), and `app_model` of the list."""

MENU: Sequence[tuple[str, Sequence[Entry]]] = (
    (
        "Sales",
        (
            ("Orders", "receipt_long", "orders_order"),
            ("Payments", "payments", "payments_payment"),
            ("Cases", "support", "payments_case"),
            ("Refunds", "currency_exchange", "orders_refund"),
            ("Refund formula", "calculate", "orders_refundpolicy"),
            ("Nightly comparisons", "fact_check", "payments_statusreport"),
        ),
    ),
    (
        "Catalogue",
        (
            ("Products", "inventory_2", "catalog_product"),
            ("Categories", "category", "catalog_category"),
            ("Stock batches", "upload_file", "catalog_stockbatch"),
            ("Stock items", "key", "catalog_stockitem"),
            ("Vouchers", "sell", "orders_voucher"),
        ),
    ),
    (
        "Customers",
        (
            ("Customers", "group", "accounts_customer"),
            ("Balance movements", "account_balance_wallet", "accounts_ledgerentry"),
        ),
    ),
    (
        "Team",
        (
            ("Staff", "badge", "auth_user"),
            ("Roles", "shield_person", "auth_group"),
            ("Staff groups", "forum", "accounts_staffchat"),
        ),
    ),
    (
        "System",
        (
            ("Outbox", "outbox", "core_outboxmessage"),
            ("Gateway events", "webhook", "payments_gatewayevent"),
            ("Audit trail", "history", "audit_auditentry"),
            ("Store settings", "settings", "core_storesettings"),
        ),
    ),
)
TITLES = {name: title for _group, entries in MENU for title, _icon, name in entries}


def menu_title(opts: "Options[Any]") -> str:
    """Return what the menu calls the list of these rows."""
    name = f"{opts.app_label}_{opts.model_name}"
    return TITLES.get(name, str(opts.verbose_name_plural).capitalize())


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu with what this member of staff may see."""
    dashboard = {
        "title": "Dashboard",
        "icon": "dashboard",
        "link": reverse("admin:index"),
        "active": request.path == reverse("admin:index"),
    }
    groups: list[dict[str, Any]] = [{"items": [dashboard]}]
    for title, entries in MENU:
        items = [_item(entry) for entry in entries if _may_see(request, entry)]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _may_see(request: HttpRequest, entry: Entry) -> bool:
    app, model = entry[2].split("_", 1)
    names = (f"{app}.view_{model}", f"{app}.change_{model}")
    return any(request.user.has_perm(name) for name in names)


def _item(entry: Entry) -> dict[str, Any]:
    title, icon, name = entry
    item: dict[str, Any] = {
        "title": title,
        "icon": icon,
        "link": reverse(f"admin:{name}_changelist"),
    }
    waiting = Case.objects.filter(closed_at=None).count() if name == "payments_case" else 0
    return item | {"badge": str(waiting), "badge_variant": "danger"} if waiting else item


def environment(_request: HttpRequest) -> list[str] | None:
    return ["Sandbox", "warning"] if settings.SANDBOX else None


def store_name(_request: HttpRequest) -> str:
    return str(settings.STORE_NAME)


def logo(_request: HttpRequest | None = None) -> str:
    return static("backoffice/logo.svg")


def stylesheet(_request: HttpRequest) -> str:
    return static("backoffice/backoffice.css")


def script(_request: HttpRequest) -> str:
    return static("backoffice/backoffice.js")


def shop_url(_request: HttpRequest) -> str | None:
    """Return where the shop can be seen: the sandbox's chat; Telegram has no page of its own."""
    return "/sandbox/" if settings.SANDBOX else None


def extra_context(_request: HttpRequest) -> dict[str, Any]:
    """Return what every page may show: the demo's login, for the sandbox's login page."""
    login = getattr(settings, "SANDBOX_STAFF_LOGIN", None) if settings.SANDBOX else None
    return {"demo_login": login, "shop_url": shop_url(_request)}
