"""Forms of staff, their roles and their groups."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from accounts.models import StaffChat
from accounts.services.staff_chats import EDITABLE as CHAT_EDITABLE
from accounts.services.staff_chats import check_group_id
from backoffice.forms.rows import RowForm
from backoffice.navigation import TITLES

if TYPE_CHECKING:
    from django.forms import CheckboxSelectMultiple as Checkboxes

    _PermissionField = forms.ModelMultipleChoiceField[Permission]
else:
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Checkboxes

    _PermissionField = forms.ModelMultipleChoiceField

__all__ = ["Checkboxes", "PermissionField", "RoleForm", "StaffChatForm", "StaffForm"]
RIGHTS = {
    "catalog.add_product": "Products: add",
    "catalog.change_product": "Products: change, put back on sale",
    "catalog.delete_product": "Products: take off sale",
    "catalog.add_category": "Categories: add",
    "catalog.change_category": "Categories: change",
    "catalog.delete_category": "Categories: delete",
    "catalog.add_stockitem": "Products: add stock",
    "catalog.change_stockbatch": "Stock batches: withdraw",
    "payments.change_case": "Cases: mark as dealt with",
    "orders.add_voucher": "Vouchers: add",
    "orders.change_voucher": "Vouchers: change",
    "accounts.change_customer": "Customers: change the name",
    "accounts.add_staffchat": "Staff groups: add",
    "accounts.change_staffchat": "Staff groups: change",
    "accounts.delete_staffchat": "Staff groups: remove",
    "core.change_outboxmessage": "Outbox: send again",
    "core.change_storesettings": "Store settings: change",
}
"""What a role can allow beside seeing; staff and roles are the owner's alone."""


def _labels() -> dict[str, str]:
    """Name what a role can allow, in the order of the menu."""
    labels = {}
    for place, title in TITLES.items():
        app, model = place.split("_", 1)
        labels[f"{app}.view_{model}"] = f"{title}: see"
        labels |= {name: text for name, text in RIGHTS.items() if text.startswith(f"{title}: ")}
    return {name: text for name, text in labels.items() if not name.startswith("auth.")}


LABELS = _labels()


def offered() -> QuerySet[Permission]:
    """Return the permissions of LABELS, in its order."""
    wanted, places = Q(pk=None), []
    for place, name in enumerate(LABELS):
        app, code = name.split(".")
        one = Q(content_type__app_label=app, codename=code)
        wanted |= one
        places.append(When(one, then=Value(place)))
    order = Case(*places, output_field=IntegerField())
    return Permission.objects.filter(wanted).select_related("content_type").order_by(order)


def _name(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


class StaffForm(RowForm[User]):
    class Meta:
        model = User
        fields = (
            "username",
            "first_name",
            "last_name",
            "email",
            "is_active",
            "groups",
            "is_superuser",
        )
        labels: ClassVar = {
            "is_active": "May log in",
            "is_superuser": "Owner",
            "groups": "Roles",
        }
        help_texts: ClassVar = {
            "username": "What they log in with: letters, digits and @ . + - _ only.",
            "is_active": "Switch it off when somebody leaves: their name stays in the records.",
            "is_superuser": "May open and change everything, staff and roles included.",
            "groups": "What they may see and do. Without any role: nothing.",
        }


class PermissionField(_PermissionField):
    def __init__(self, **options: Any) -> None:
        super().__init__(offered(), **options | {"widget": Checkboxes})

    def label_from_instance(self, permission: Any) -> str:
        return LABELS[_name(permission)]


class RoleForm(RowForm[Group]):
    permissions = PermissionField(label="What it allows", required=False)

    class Meta:
        model = Group
        fields = ("name", "permissions")
        labels: ClassVar = {"name": "Name of the role"}


class StaffChatForm(RowForm[StaffChat]):
    class Meta:
        model = StaffChat
        fields = CHAT_EDITABLE
        labels: ClassVar = {
            "chat_id": "Group id",
            "hears_orders": "Hears of orders",
            "hears_problems": "Hears of problems",
        }
        help_texts: ClassVar = {
            "title": "What you call the group here.",
            "chat_id": "Open the group at web.telegram.org: the number behind the # of its"
            " address, with the minus, is its id.",
            "hears_orders": "New orders, deposits, expired orders.",
            "hears_problems": "What needs a person, such as money that fits no order.",
        }
        error_messages: ClassVar = {
            "chat_id": {"unique": "This group is on the list already."},
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("chat_id") is not None:
            check_group_id(cleaned["chat_id"])
        return cleaned
