"""The audit database holds the audit trail and nothing else."""

from typing import Any


class AuditRouter:
    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool | None:
        return app_label == "audit" if db == "audit" else None
