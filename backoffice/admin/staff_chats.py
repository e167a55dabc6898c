"""Staff groups: where new orders and problems are told, added and removed by the owner."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import StaffChat
from accounts.services.staff_chats import add_staff_chat, remove_staff_chat, update_staff_chat
from backoffice.admin.base import ServiceAdmin, time_column
from backoffice.display import badge
from backoffice.forms.staff import StaffChatForm
from backoffice.selectors import lost_groups
from backoffice.staff import signed


@admin.register(StaffChat)
class StaffChatAdmin(ServiceAdmin[StaffChat]):
    form = StaffChatForm
    list_display = ("name", "chat_id", "reached", "hears", "since")
    search_fields = ("title", "=chat_id")
    search_help_text = "Search by title or id"
    ordering = ("title", "pk")
    empty_text = "Add a Telegram group, and it hears of every new order."
    fieldsets = (
        (
            None,
            {
                "fields": ("title", "chat_id", "hears_orders", "hears_problems"),
                "description": "Add the bot to the group first: it can write only where it is a"
                " member. What you save here counts from the next message on.",
            },
        ),
    )

    since = time_column("created_at", "since")

    @admin.display(description="group", ordering="title")
    def name(self, row: StaffChat) -> str:
        return str(row)

    def prepare_rows(self, rows: list[StaffChat]) -> None:
        lost = lost_groups()
        for row in rows:
            vars(row)["_is_lost"] = row.chat_id in lost

    @admin.display(description="reached")
    def reached(self, row: StaffChat) -> SafeString:
        if vars(row)["_is_lost"]:
            return badge("No: add the bot again", "bad")
        return badge("Yes", "good")

    @admin.display(description="hears of")
    def hears(self, row: StaffChat) -> SafeString | str:
        heard = [
            text
            for text, is_heard in (("orders", row.hears_orders), ("problems", row.hears_problems))
            if is_heard
        ]
        return " and ".join(heard).capitalize() if heard else badge("Nothing", "wait")

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> StaffChat:
        return add_staff_chat(fields=values, **signed(request))

    def update_row(self, request: HttpRequest, row: StaffChat, changes: dict[str, Any]) -> None:
        update_staff_chat(staff_chat_id=row.pk, changes=changes, **signed(request))

    def has_delete_permission(self, request: HttpRequest, obj: StaffChat | None = None) -> bool:
        return request.user.has_perm("accounts.delete_staffchat")

    def delete_model(self, request: HttpRequest, obj: StaffChat) -> None:
        remove_staff_chat(staff_chat_id=obj.pk, **signed(request))
