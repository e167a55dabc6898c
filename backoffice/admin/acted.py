"""Rows that say who did something; members of staff are shown and found by their login."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from backoffice.admin.base import ReadOnlyAdmin, RowT
from backoffice.staff import actor_name, actor_names, actors_called


def actor_column(name: str, label: str) -> Callable[..., str]:
    """Return a column that shows an actor by name."""

    @admin.display(ordering=name, description=label)
    def show(_admin: Any, row: Model) -> str:
        known = vars(row).get("_actor")
        return known if known is not None else actor_name(getattr(row, name))

    return show


class ActedAdmin(ReadOnlyAdmin[RowT]):
    actor_field = "actor"

    def prepare_rows(self, rows: list[RowT]) -> None:
        super().prepare_rows(rows)
        names = actor_names(getattr(row, self.actor_field) for row in rows)
        for row in rows:
            vars(row)["_actor"] = names[getattr(row, self.actor_field)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RowT], search_term: str
    ) -> tuple[QuerySet[RowT], bool]:
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        called = actors_called(search_term)
        if called:
            found = found | queryset.filter(**{f"{self.actor_field}__in": called})
        return found, has_duplicates
