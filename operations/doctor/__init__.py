"""Is everything there that the shop needs? One finding per check, whatever goes wrong."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError
from redis.exceptions import RedisError

from operations.doctor.backlogs import check_audit, check_cases, check_messages, check_outbox
from operations.doctor.findings import Finding, Level, problem
from operations.doctor.keys import check_fingerprint_key, check_stock_keys
from operations.doctor.outside import check_gateway, check_telegram
from operations.doctor.processes import check_bot, check_queues, check_scheduler, check_worker
from operations.doctor.servers import (
    check_audit_database,
    check_clock,
    check_database,
    check_disk,
    check_migrations,
    check_redis,
    check_settings,
)

__all__ = ["CHECKS", "Finding", "Level", "examine"]
logger = logging.getLogger(__name__)
Check = Callable[[datetime], Finding]

CHECKS: dict[str, Check] = {
    "settings": check_settings,
    "database": check_database,
    "audit database": check_audit_database,
    "migrations": check_migrations,
    "clock": check_clock,
    "redis": check_redis,
    "disk": check_disk,
    "stock keys": check_stock_keys,
    "fingerprint key": check_fingerprint_key,
    "telegram": check_telegram,
    "gateway": check_gateway,
    "bot": check_bot,
    "worker": check_worker,
    "scheduler": check_scheduler,
    "queues": check_queues,
    "outbox": check_outbox,
    "messages": check_messages,
    "cases": check_cases,
    "audit trail": check_audit,
}


def examine(*, now: datetime) -> dict[str, Finding]:
    """Run every check; one that crashes is a problem of its own and stops no other."""
    return {name: _run(check, now) for name, check in CHECKS.items()}


def _run(check: Check, now: datetime) -> Finding:
    try:
        return check(now)
    except DatabaseError:
        return problem("the database does not answer", "See DATABASE_URL, AUDIT_DATABASE_URL.")
    except (RedisError, OSError):
        return problem("Redis does not answer", "See REDIS_URL and whether it runs.")
    except Exception as error:
        # The class only: a text may quote an address with its password.
        logger.debug("check crashed", exc_info=True)
        return problem(f"could not be checked ({type(error).__name__})", "LOG_LEVEL=DEBUG tells.")
