"""Refusals of the back office's own services."""

from core.errors import DomainError


class LastOwner(DomainError):
    """Without this one nobody could open every page any more."""

    code = "last_owner"


class RoleInUse(DomainError):
    """Members of staff still have the role."""

    code = "role_in_use"

    def __init__(self, *, name: str, members: int) -> None:
        super().__init__(f"{name}: {members} members")
        self.name = name
        self.members = members
