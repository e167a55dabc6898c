"""Staff, roles and staff groups: each change through a service, with an audit entry."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from audit.personal import open_changes
from backoffice import staff_services
from backoffice.errors import LastOwner
from backoffice.forms.staff import LABELS, offered
from backoffice.staff_services import update_staff
from tests.backoffice.pages import actor, body, said, url, words
from tests.concurrency import overlap
from tests.world import World

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"


def last_audit() -> tuple[str, str, str, Any, Any]:
    entry = AuditEntry.objects.latest("pk")
    [(before, after)] = open_changes([entry])
    return entry.actor, entry.action, entry.target, before, after


def staff_form(user: User, **changes: Any) -> dict[str, Any]:
    return {"username": user.username, "is_active": "on"} | changes


class TestStaff:
    def test_added_without_a_right_and_audited_without_the_password(self, owner: Client) -> None:
        form = {"username": "dewi", "password1": PASSWORD, "password2": PASSWORD}
        assert owner.post(url(User, "add"), form).status_code == 302
        dewi = User.objects.get(username="dewi")
        assert (dewi.is_staff, dewi.is_superuser, dewi.check_password(PASSWORD)) == (
            True,
            False,
            True,
        )
        assert last_audit() == (
            actor(),
            "create_staff",
            f"user:{dewi.pk}",
            None,
            {"username": "dewi"},
        )

    def test_a_weak_password_is_refused(self, owner: Client) -> None:
        form = {"username": "dewi", "password1": "12345", "password2": "12345"}
        assert "too short" in words(owner.post(url(User, "add"), form))
        assert not User.objects.filter(username="dewi").exists()
        assert not AuditEntry.objects.exists()

    def test_a_change_says_what_changed_roles_included(self, owner: Client) -> None:
        dewi = User.objects.create_user("dewi", is_staff=True)
        support = Group.objects.create(name="Support")
        form = staff_form(dewi, first_name="Dewi", groups=[support.pk])
        assert owner.post(url(User, "change", dewi.pk), form).status_code == 302
        assert [*dewi.groups.all()] == [support]
        changed = (
            {"first_name": "", "roles": []},
            {"first_name": "Dewi", "roles": ["Support"]},
        )
        assert last_audit() == (actor(), "update_staff", f"user:{dewi.pk}", *changed)

    def test_a_change_of_nothing_is_no_entry(self, owner: Client) -> None:
        dewi = User.objects.create_user("dewi", is_staff=True)
        assert owner.post(url(User, "change", dewi.pk), staff_form(dewi)).status_code == 302
        assert not AuditEntry.objects.exists()

    def test_a_new_password_is_audited_and_nothing_of_it(self, owner: Client) -> None:
        dewi = User.objects.create_user("dewi", is_staff=True)
        form = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
        answer = owner.post(reverse("admin:auth_user_password_change", args=[dewi.pk]), form)
        assert answer.status_code == 302
        dewi.refresh_from_db()
        assert dewi.check_password(PASSWORD)
        assert last_audit() == (actor(), "set_password", f"user:{dewi.pk}", None, None)

    def test_a_refused_password_is_no_entry(self, owner: Client) -> None:
        dewi = User.objects.create_user("dewi", is_staff=True)
        form = {"password1": PASSWORD, "password2": "another", "usable_password": "true"}
        owner.post(reverse("admin:auth_user_password_change", args=[dewi.pk]), form)
        assert not AuditEntry.objects.exists()

    def test_no_page_shows_the_hash(self, owner: Client) -> None:
        page = body(owner, url(User, "change", User.objects.get().pk))
        assert "pbkdf2" not in page
        assert "Set a new password" in page

    @pytest.mark.parametrize("lost", ["is_active", "is_superuser"])
    def test_the_last_owner_stays_one(self, owner: Client, lost: str) -> None:
        me = User.objects.get()
        form = staff_form(me, is_superuser="on")
        del form[lost]
        answer = owner.post(url(User, "change", me.pk), form)
        assert "This is the only owner who may log in." in words(answer)
        me.refresh_from_db()
        assert (me.is_active, me.is_superuser) == (True, True)
        assert not AuditEntry.objects.exists()

    def test_nobody_is_deleted(self, owner: Client) -> None:
        dewi = User.objects.create_user("dewi", is_staff=True)
        assert owner.post(url(User, "delete", dewi.pk), {"post": "yes"}).status_code == 403

    def test_only_owners_change_staff_and_roles(self, staff: Callable[..., Client]) -> None:
        client = staff(*(f"auth.{verb}_user" for verb in ("view", "add", "change", "delete")))
        me = User.objects.get(username="staff4")
        page = body(client, url(User, "change", me.pk))
        assert 'name="_save"' not in page
        form = staff_form(me, is_superuser="on")
        assert client.post(url(User, "change", me.pk), form).status_code == 403
        assert client.get(url(User, "add")).status_code == 403
        set_password = reverse("admin:auth_user_password_change", args=[me.pk])
        assert client.get(set_password).status_code == 403
        assert client.get(url(Group, "add")).status_code == 403
        me.refresh_from_db()
        assert not me.is_superuser


class TestLastOwnerAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])

    def demotions(self, world: World) -> list[Any]:
        owners = [User.objects.create_superuser(name) for name in ("ani", "budi")]
        common: dict[str, Any] = {"actor": "x", "source": "admin", "now": world.now}
        change = {"is_superuser": False}
        return [partial(update_staff, user_id=o.pk, changes=change, **common) for o in owners]

    def test_two_who_demote_each_other_leave_one(self, committed_world: World) -> None:
        [result] = overlap(*self.demotions(committed_world))
        assert isinstance(result, LastOwner)
        assert User.objects.filter(is_superuser=True).count() == 1

    def test_control_without_the_lock_nobody_is_left(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owners = User.objects.filter(is_superuser=True, is_active=True, is_staff=True)
        monkeypatch.setattr(staff_services, "_owners", lambda: list(owners.order_by("pk").all()))
        overlap(*self.demotions(committed_world))
        assert not User.objects.filter(is_superuser=True).exists()


class TestRole:
    def test_added_changed_and_deleted(self, owner: Client) -> None:
        view, add = (Permission.objects.get(codename=f"{v}_product") for v in ("view", "add"))
        owner.post(url(Group, "add"), {"name": "Stock keeper", "permissions": [view.pk]})
        role = Group.objects.get()
        values = {"name": "Stock keeper", "permissions": ["catalog.view_product"]}
        assert last_audit() == (actor(), "create_role", f"role:{role.pk}", None, values)
        form = {"name": "Stock keeper", "permissions": [view.pk, add.pk]}
        owner.post(url(Group, "change", role.pk), form)
        both = ["catalog.add_product", "catalog.view_product"]
        changed = ({"permissions": ["catalog.view_product"]}, {"permissions": both})
        assert last_audit() == (actor(), "update_role", f"role:{role.pk}", *changed)
        owner.post(url(Group, "delete", role.pk), {"post": "yes"})
        assert not Group.objects.exists()
        assert last_audit()[1:4] == (
            "delete_role",
            f"role:{role.pk}",
            {"name": "Stock keeper", "permissions": both},
        )

    def test_one_that_somebody_has_stays(self, owner: Client) -> None:
        role = Group.objects.create(name="Support")
        User.objects.get().groups.add(role)
        answer = owner.post(url(Group, "delete", role.pk), {"post": "yes"})
        assert "“Support” still has 1 member of staff." in said(answer)
        assert Group.objects.filter(pk=role.pk).exists()
        assert not AuditEntry.objects.exists()

    def test_rights_are_offered_in_the_words_of_the_menu(self) -> None:
        assert [permission.codename for permission in offered()] == [
            name.split(".")[1] for name in LABELS
        ]
        assert LABELS["catalog.add_stockitem"] == "Products: add stock"
        assert not [name for name in LABELS if name.startswith("auth.")]

    def test_who_has_a_role_sees_what_it_says_and_no_more(
        self, owner: Client, shop: World
    ) -> None:
        view = Permission.objects.get(codename="view_order")
        form = {"name": "Support", "permissions": [view.pk]}
        owner.post(url(Group, "add"), form)
        dewi = User.objects.create_user("dewi", is_staff=True)
        dewi.groups.add(Group.objects.get())
        client = Client()
        client.force_login(dewi)
        page = body(client, reverse("admin:orders_order_changelist"))
        assert "TRX" in page
        assert client.get(reverse("admin:payments_payment_changelist")).status_code == 403
