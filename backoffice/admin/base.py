"""What the admins share: unfold's classes with the types of Django's, and how rows are written.

A page never writes a row itself: it calls one service, which writes the audit entry as well.
"""
# ruff: noqa: ARG002 (the signatures are Django's)

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Field, Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from backoffice.display import changelist_url, moment
from backoffice.forms.fields import RupiahField
from backoffice.forms.rows import refused
from backoffice.navigation import menu_title
from backoffice.panels import Lead, Panel, Timeline
from core.errors import DomainError
from core.money import MoneyField

RowT = TypeVar("RowT", bound=Model)
ViewT = TypeVar("ViewT", bound=Callable[..., Any])

if TYPE_CHECKING:  # unfold has no types; its classes keep the interface of Django's
    from django.contrib.admin.views.main import ChangeList

    class ModelAdmin(admin.ModelAdmin[RowT]):
        actions_detail: Sequence[str] = ()

        def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]: ...

    def button(**_options: Any) -> Callable[[ViewT], ViewT]: ...
else:
    from unfold import decorators
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.views import ChangeList

    button = decorators.action

    class ModelAdmin(UnfoldModelAdmin):
        """Takes the type argument that Django's class lacks at run time."""

        list_per_page = 50

        def __class_getitem__(cls, _model: Any) -> type:
            return cls


class PageOfRows(ChangeList):
    """A list that lets its admin look up, in one go, what the rows of this page show."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        cast("ShopAdmin[Any]", self.model_admin).prepare_rows(self.result_list)


class ShopAdmin(ModelAdmin[RowT]):
    """Rows of the shop, with panels of what belongs to one below its form."""

    actions = None
    change_form_outer_before_template = "backoffice/lead.html"
    change_form_outer_after_template = "backoffice/panels.html"
    audit_target = ""
    """The audit trail's name for a row of this kind, where it is not the model's."""
    empty_text = "It fills by itself as customers use the shop."
    """Said on a list without any rows."""
    row_names = ("", "")
    """What one row and several are called, where it is not the model's name."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> "type[ChangeList]":
        return PageOfRows

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": menu_title(self.opts)}
        return super().changelist_view(request, title | (extra_context or {}))

    def prepare_rows(self, rows: list[RowT]) -> None:
        """Add to the rows of a list's page what they show of other tables."""

    def row_title(self, row: RowT) -> str:
        """Return what a row is called above its page."""
        return str(row)

    def lead(self, request: HttpRequest, row: RowT) -> Lead | None:
        """Return what is said above a row's fields."""
        return None

    def panels(self, request: HttpRequest, row: RowT) -> list[Panel | Timeline]:
        """Return what is shown below a row's fields."""
        return []

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        if isinstance(db_field, MoneyField):
            return RupiahField.for_column(db_field, **kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is None:
            context["title"] = f"Add {self.row_names[0] or self.opts.verbose_name}"
        if row is not None:
            context["row_title"] = self.row_title(row)
            context |= {"title": menu_title(self.opts), "subtitle": context["row_title"]}
            context["lead"] = self.lead(request, row)
            context["panels"] = [
                panel
                for panel in self.panels(request, row)
                if not panel.permission or request.user.has_perm(panel.permission)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the audit trail of the row: Django's own log knows nothing of the bot."""
        target = f"{self.audit_target or self.opts.model_name}:{object_id}"
        address = reverse("admin:audit_auditentry_changelist")
        return HttpResponseRedirect(f"{address}?{urlencode({'target': target})}")

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit entry of the service says it."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit entry of the service says it."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The audit entry of the service says it."""


class ServiceAdmin(ShopAdmin[RowT]):
    """Rows that services make and change; what a service refuses is said on the form."""

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> RowT:
        raise NotImplementedError

    def update_row(self, request: HttpRequest, row: RowT, changes: dict[str, Any]) -> None:
        raise NotImplementedError

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Let the page remember what it showed, so that it knows what was changed on it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.show_hidden_initial = True
        return field

    def save_model(self, request: HttpRequest, obj: RowT, form: Any, change: bool) -> None:
        columns = {field.name for field in obj._meta.concrete_fields}
        given = {name: value for name, value in form.cleaned_data.items() if name in columns}
        if change:
            # Only what was changed on this page: the rest may have changed elsewhere meanwhile.
            changed = {name: value for name, value in given.items() if name in form.changed_data}
            self.update_row(request, obj, changed)
        else:
            obj.pk = self.create_row(request, given).pk
            obj._state.adding = False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (DomainError, ValidationError, IntegrityError) as refusal:
            # Nothing was written. The same page again, with all that was typed, says why.
            vars(request)["refusal"] = refusal
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: RowT | None = None, change: bool = False, **kwargs: Any
    ) -> "type[forms.ModelForm[RowT]]":
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = vars(request).get("refusal")
        return form if refusal is None else refused(form, refusal)

    def delete_model(self, request: HttpRequest, obj: RowT) -> None:
        raise NotImplementedError  # only a service deletes

    def has_delete_permission(self, request: HttpRequest, obj: RowT | None = None) -> bool:
        return False


class KeptAdmin(ShopAdmin[RowT]):
    """Rows that are only changed here: services make them, nobody deletes them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RowT | None = None) -> bool:
        return False


class ReadOnlyAdmin(KeptAdmin[RowT]):
    """Rows that staff look at; whatever changes them is a service."""

    def has_change_permission(self, request: HttpRequest, obj: RowT | None = None) -> bool:
        return False


def time_column(name: str, label: str) -> Callable[..., str]:
    """Return a column of a list that shows a time by the store's clock."""

    @admin.display(ordering=name, description=label)
    def show(_admin: Any, row: Model) -> str:
        return moment(getattr(row, name))

    return show


def filtered_by(model: type[Model], **lookups: Any) -> str:
    """Return the address of a list with these filters on."""
    return changelist_url(model, "&".join(f"{name}={value}" for name, value in lookups.items()))
