"""Refusals of this app's services."""

from core.errors import DomainError


class AuditChainBroken(DomainError):
    """The audit database does not continue what the main database knows of it.

    Nothing is shipped on top of that; `manage.py verify_audit` says what is wrong.
    """

    code = "audit_chain_broken"
