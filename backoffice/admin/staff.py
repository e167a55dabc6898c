"""Staff logins and their roles. Only an owner changes them: who could, could make himself one."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Count, Field, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.admin.base import ServiceAdmin, ShopAdmin, time_column
from backoffice.display import NOTHING, badge
from backoffice.errors import RoleInUse
from backoffice.forms.staff import Checkboxes, RoleForm, StaffForm
from backoffice.refusals import sentence
from backoffice.staff import signed
from backoffice.staff_services import (
    EDITABLE,
    create_staff,
    delete_role,
    record_new_password,
    save_role,
    update_staff,
)

if TYPE_CHECKING:
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserCreationForm
else:
    from unfold.forms import AdminPasswordChangeForm, UserCreationForm

admin.site.unregister(User)
admin.site.unregister(Group)


class OwnersAdmin(ServiceAdmin[Any]):
    """Rows that owners change; others see them if their role says so."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        # The services compare with what is stored, so these pages need no memory of their own.
        field = ShopAdmin.formfield_for_dbfield(self, db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.widget = Checkboxes(choices=field.widget.choices)
            # Without Django's advice for a list in which several are marked.
            field.help_text = StaffForm.Meta.help_texts["groups"]
        return field

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service has saved roles and permissions with the rest."""


@admin.register(User)
class StaffAdmin(OwnersAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    form = StaffForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "role_names", "status", "seen")
    list_filter = ("is_superuser", "is_active", "groups")
    search_help_text = "Search by name or e-mail"
    row_names = ("member of staff", "members of staff")
    fieldsets = (
        (None, {"fields": ("username", "password_shown")}),
        ("Who it is", {"fields": ("first_name", "last_name", "email")}),
        ("What they may do", {"fields": ("is_active", "groups", "is_superuser")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)
    readonly_fields = ("password_shown",)
    filter_horizontal = ()

    seen = time_column("last_login", "last login")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="name", ordering="first_name")
    def full_name(self, row: User) -> str:
        return row.get_full_name() or NOTHING

    @admin.display(description="password")
    def password_shown(self, row: User) -> SafeString:
        """Nobody can see it, and nobody needs its hash."""
        address = reverse("admin:auth_user_password_change", args=[row.pk])
        return format_html('<a class="qc-link" href="{}">Set a new password</a>', address)

    @admin.display(description="roles")
    def role_names(self, row: User) -> SafeString | str:
        if row.is_superuser:
            return badge("Owner", "info")
        return ", ".join(sorted(role.name for role in row.groups.all())) or badge("None", "wait")

    @admin.display(description="status", ordering="is_active")
    def status(self, row: User) -> SafeString:
        return badge("May log in", "good") if row.is_active else badge("Locked out")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            made = create_staff(
                username=obj.username, password_hash=obj.password, **signed(request)
            )
            obj.pk = made.pk
            obj._state.adding = False
            return
        given = form.cleaned_data
        changes = {name: given[name] for name in EDITABLE if name in given}
        update_staff(user_id=obj.pk, changes=changes, roles=given.get("groups"), **signed(request))

    @transaction.atomic
    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002
        form_url: str = "",
    ) -> HttpResponse:
        before = User.objects.filter(pk=id).values_list("password", flat=True).first()
        answer = super().user_change_password(request, id, form_url)
        if before != User.objects.filter(pk=id).values_list("password", flat=True).first():
            record_new_password(user_id=int(id), **signed(request))
        return answer


@admin.register(Group)
class RoleAdmin(OwnersAdmin, DjangoGroupAdmin):
    form = RoleForm
    audit_target = "role"
    list_display = ("name", "members", "rights")
    search_help_text = "Search by name"
    row_names = ("role", "roles")
    empty_text = "A role says what those who have it may see and do."
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        rows: QuerySet[Group] = super().get_queryset(request)
        members = Count("user", distinct=True)
        return rows.annotate(_members=members, _rights=Count("permissions", distinct=True))

    @admin.display(description="members", ordering="_members")
    def members(self, row: Group) -> int:
        return int(vars(row)["_members"])

    @admin.display(description="rights", ordering="_rights")
    def rights(self, row: Group) -> int:
        return int(vars(row)["_rights"])

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        role = save_role(
            role_id=obj.pk if change else None,
            name=form.cleaned_data["name"],
            permissions=form.cleaned_data["permissions"],
            **signed(request),
        )
        obj.pk = role.pk
        obj._state.adding = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except RoleInUse as refusal:
            messages.error(request, sentence(refusal))
            return HttpResponseRedirect(reverse("admin:auth_group_change", args=[object_id]))

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        delete_role(role_id=obj.pk, **signed(request))
