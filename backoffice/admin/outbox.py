"""The outbox: what waits, what is stuck and why, and sending it again."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from backoffice.admin.base import ReadOnlyAdmin, time_column
from backoffice.confirm import Question, ask
from backoffice.display import pretty_json
from backoffice.message_names import (
    NAMES,
    message_badge,
    message_name,
    recipient_names,
    what_happened,
    why_not,
)
from backoffice.panels import Lead
from backoffice.selectors import KEEPS_FAILING
from backoffice.staff import signed
from core.models import OutboxMessage, OutboxState
from telegram_bot.resending import is_resendable, resend_message

STUCK = {
    "failed": Q(state=OutboxState.FAILED),
    "blocked": Q(state=OutboxState.BLOCKED),
    "failing": KEEPS_FAILING,
}


class KindFilter(admin.SimpleListFilter):
    title = "message"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(NAMES.items())

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OutboxMessage]
    ) -> QuerySet[OutboxMessage]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class StuckFilter(admin.SimpleListFilter):
    title = "what is stuck"
    parameter_name = "stuck"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("any", "Anything stuck"),
            ("failed", "Failed for good"),
            ("blocked", "Kept back: the bot is blocked"),
            ("failing", "Keeps failing, still tried"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OutboxMessage]
    ) -> QuerySet[OutboxMessage]:
        if self.value() == "any":
            return queryset.filter(STUCK["failed"] | STUCK["blocked"] | STUCK["failing"])
        return queryset.filter(STUCK.get(self.value() or "", Q()))


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin[OutboxMessage]):
    list_display = ("message", "to", "state_shown", "why", "created", "sent")
    list_filter = (StuckFilter, "state", KindFilter, "priority", "created_at")
    search_fields = ("=recipient", "dedupe_key")
    search_help_text = "Search by chat id or key"
    ordering = ("-pk",)
    empty_text = "Messages to customers and staff wait here and keep their outcome."
    fields = (
        "message",
        "to",
        "state_shown",
        "priority",
        "attempts",
        "error",
        "about",
        "created",
        "not_before_shown",
        "told",
        "sent",
    )
    readonly_fields = (
        "message",
        "to",
        "state_shown",
        "about",
        "created",
        "not_before_shown",
        "told",
        "sent",
    )

    created = time_column("created_at", "written")
    sent = time_column("sent_at", "sent")
    not_before_shown = time_column("not_before", "not before")
    told = time_column("alerted_at", "staff told that it is stuck")

    def prepare_rows(self, rows: list[OutboxMessage]) -> None:
        names = recipient_names(rows)
        for row in rows:
            vars(row)["_to"] = names[row.recipient]

    def row_title(self, row: OutboxMessage) -> str:
        return self.message(row)

    def lead(self, request: HttpRequest, row: OutboxMessage) -> Lead | None:
        sentences = what_happened(row)
        may_resend = is_resendable(row) and self.has_resend_permission(request)
        if not sentences and not may_resend:
            return None
        return Lead(
            message_badge(row) if sentences else "",
            sentences,
            button="Send again" if may_resend else "",
            url=reverse("admin:core_outboxmessage_resend", args=[row.pk]),
        )

    @admin.display(description="message", ordering="kind")
    def message(self, row: OutboxMessage) -> str:
        return message_name(row)

    @admin.display(description="to", ordering="recipient")
    def to(self, row: OutboxMessage) -> str:
        if "_to" not in vars(row):
            self.prepare_rows([row])
        name = str(vars(row)["_to"])
        return (
            name
            if row.recipient is None or name == str(row.recipient)
            else f"{name} ({row.recipient})"
        )

    @admin.display(description="state", ordering="state")
    def state_shown(self, row: OutboxMessage) -> SafeString | str:
        return message_badge(row)

    @admin.display(description="why")
    def why(self, row: OutboxMessage) -> str:
        return why_not(row)

    @admin.display(description="about")
    def about(self, row: OutboxMessage) -> SafeString | str:
        return pretty_json(row.references)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_outboxmessage")

    def get_urls(self) -> list[URLPattern]:
        resend = path(
            "<int:message_id>/send-again/",
            self.admin_site.admin_view(self.resend_view),
            name="core_outboxmessage_resend",
        )
        return [resend, *super().get_urls()]

    def resend_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        if not self.has_resend_permission(request):
            raise PermissionDenied
        row = get_object_or_404(OutboxMessage, pk=message_id)

        def resend() -> str:
            resend_message(message_id=row.pk, **signed(request))
            return "It goes out again. This page shows what becomes of it."

        question = Question(
            title=f"Send again: {self.message(row)}",
            sentences=[*what_happened(row), _effect(row, self.to(row))],
            button="Send again",
            do=resend,
            back=reverse("admin:core_outboxmessage_change", args=[row.pk]),
            is_dangerous=False,
        )
        return ask(self, request, row, question)


def _effect(row: OutboxMessage, to: str) -> str:
    if row.state == OutboxState.SENT:
        return f"{to} gets the whole message once more, with the same goods: none are added."
    return f"The message goes to {to} as things are now. What is out of date by now is dropped."
