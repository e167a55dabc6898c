"""What the admins share: unfold's classes with the types of Django's, and the read-only kind."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

ParentT = TypeVar("ParentT", bound=Model)
RowT = TypeVar("RowT", bound=Model)

if TYPE_CHECKING:  # unfold has no types; its classes keep the interface of Django's
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
else:
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.admin import TabularInline as UnfoldTabularInline

    class ModelAdmin(UnfoldModelAdmin):
        """Takes the type argument that Django's class lacks at run time."""

        list_per_page = 50

        def __class_getitem__(cls, _model: Any) -> type:
            return cls

    class TabularInline(UnfoldTabularInline):
        def __class_getitem__(cls, _models: Any) -> type:
            return cls


class KeptAdmin(ModelAdmin[RowT]):
    """Rows that are only changed here: services make them, nobody deletes them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RowT | None = None) -> bool:
        return False


class ReadOnlyAdmin(KeptAdmin[RowT]):
    """Rows that staff look at; whatever changes them is a service."""

    def has_change_permission(self, request: HttpRequest, obj: RowT | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline[RowT, ParentT]):
    extra = 0
    max_num = 0
    can_delete = False
    related: tuple[str, ...] = ()
    """What a row shows of other tables, fetched with it."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[RowT]:
        return super().get_queryset(request).select_related(*self.related).order_by("pk")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
