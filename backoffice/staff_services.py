"""Who may open the back office, and what their roles allow. No password is ever recorded."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from audit.services import Changes, conceal, difference, record_audit
from backoffice.errors import LastOwner, RoleInUse

PERSONAL = ("username", "first_name", "last_name", "email")
EDITABLE = (*PERSONAL, "is_active", "is_superuser")


@transaction.atomic
def create_staff(
    *, username: str, password_hash: str, actor: str, source: str, now: datetime
) -> User:
    """Add a member of staff who may log in and, without a role, see nothing."""
    user = User(username=username, password=password_hash, is_staff=True)
    user.full_clean()
    user.save()
    changes = _concealed(user, (None, {"username": user.username}))
    _record("create_staff", f"user:{user.pk}", changes, actor=actor, source=source, now=now)
    return user


@transaction.atomic
def update_staff(
    *,
    user_id: int,
    changes: Mapping[str, Any],
    roles: Iterable[Group] | None = None,
    actor: str,
    source: str,
    now: datetime,
) -> User:
    """Change columns (EDITABLE; ValueError for another) and, unless None, the roles.

    Raises LastOwner, or ValidationError; then nothing changed.
    """
    if not set(changes) <= set(EDITABLE):
        raise ValueError(sorted(set(changes) - set(EDITABLE)))
    # All owners are locked, so that two who take each other's rights leave one of them.
    owners = [user.pk for user in _owners()]
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    before = _staff_values(user)
    for name, value in changes.items():
        setattr(user, name, value)
    if owners == [user.pk] and not (user.is_active and user.is_superuser):
        raise LastOwner
    user.full_clean()
    user.save(update_fields=list(changes) or None)
    if roles is not None:
        user.groups.set(roles)
    changed = _concealed(user, difference(before, _staff_values(user)))
    _record("update_staff", f"user:{user.pk}", changed, actor=actor, source=source, now=now)
    return user


def record_new_password(*, user_id: int, actor: str, source: str, now: datetime) -> None:
    """Record that a password was set: who for and who by, nothing of it."""
    record_audit(
        actor=actor, action="set_password", target=f"user:{user_id}", source=source, now=now
    )


@transaction.atomic
def save_role(
    *,
    role_id: int | None,
    name: str,
    permissions: Iterable[Permission],
    actor: str,
    source: str,
    now: datetime,
) -> Group:
    """Add a role (`role_id` None) or change one. Raises ValidationError."""
    if role_id is None:
        role, before, action = Group(), None, "create_role"
    else:
        role = Group.objects.select_for_update(no_key=True).get(pk=role_id)
        before, action = _role_values(role), "update_role"
    role.name = name
    role.full_clean()
    role.save()
    role.permissions.set(permissions)
    after = _role_values(role)
    changed = (None, after) if before is None else difference(before, after)
    _record(action, f"role:{role.pk}", changed, actor=actor, source=source, now=now)
    return role


@transaction.atomic
def delete_role(*, role_id: int, actor: str, source: str, now: datetime) -> None:
    """Delete a role that nobody has; raise RoleInUse otherwise."""
    # The full lock waits for whoever is being given the role: the foreign key holds a share.
    role = Group.objects.select_for_update().get(pk=role_id)
    members = role.user_set.count()
    if members:
        raise RoleInUse(name=role.name, members=members)
    changes = (_role_values(role), None)
    _record("delete_role", f"role:{role.pk}", changes, actor=actor, source=source, now=now)
    role.delete()


def _owners() -> list[User]:
    owners = User.objects.filter(is_superuser=True, is_active=True, is_staff=True)
    return list(owners.select_for_update(no_key=True).order_by("pk"))


def _staff_values(user: User) -> dict[str, Any]:
    roles = sorted(user.groups.values_list("name", flat=True))
    return {name: getattr(user, name) for name in EDITABLE} | {"roles": roles}


def _concealed(user: User, changes: Changes) -> Changes:
    return conceal(changes, owner=f"staff:{user.pk}", names=PERSONAL)


def _role_values(role: Group) -> dict[str, Any]:
    held = role.permissions.values_list("content_type__app_label", "codename")
    return {"name": role.name, "permissions": sorted(f"{app}.{code}" for app, code in held)}


def _record(action: str, target: str, changes: Changes, **signature: Any) -> None:
    """Write the entry, unless a change changed nothing."""
    if changes != ({}, {}):
        record_audit(action=action, target=target, changes=changes, **signature)
