"""The settings and the servers the shop stands on."""

import shutil
from datetime import datetime, timedelta

import django_rq
from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.db import connections
from django.utils import timezone

from operations.doctor.findings import Finding, ok, problem, warning
from operations.health import find_problems

OLDEST_POSTGRESQL = 15
SKEW, MOST_SKEW = timedelta(seconds=2), timedelta(seconds=30)
LEAST_FREE = 1024**3
"""Bytes of disk below which PostgreSQL may soon stop."""


def check_settings(_now: datetime) -> Finding:
    errors = [each for each in run_checks() if each.level >= ERROR]
    if errors:
        text = "; ".join(f"{each.id}: {each.msg}" for each in errors)
        return problem(text, "Put the settings right: manage.py check says more.")
    if settings.SANDBOX:
        return ok("sandbox: stand-ins for Telegram and the gateway")
    if settings.DEBUG:
        return warning("DEBUG is on in a shop that sells", "Set DEBUG=false.")
    if not settings.PUBLIC_URL.startswith("https://"):
        advice = "Put a proxy with TLS in front and set PUBLIC_URL to its https address."
        return warning("PUBLIC_URL is not https: logins travel in the clear", advice)
    return ok(f"live at {settings.PUBLIC_URL}")


def check_database(_now: datetime) -> Finding:
    return _database("default", "DATABASE_URL")


def check_audit_database(_now: datetime) -> Finding:
    return _database("audit", "AUDIT_DATABASE_URL")


def _database(alias: str, setting: str) -> Finding:
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        version = int(cursor.fetchone()[0]) // 10_000
    if version < OLDEST_POSTGRESQL:
        advice = f"Move {setting} to PostgreSQL {OLDEST_POSTGRESQL} or newer."
        return problem(f"PostgreSQL {version} is too old", advice)
    return ok(f"PostgreSQL {version} answers")


def check_migrations(now: datetime) -> Finding:
    found = find_problems(now=now, parts=["migrations"])
    if found:
        advice = "Run manage.py migrate, and manage.py migrate --database audit."
        return problem(found["migrations"], advice)
    return ok("every migration is there")


def check_clock(_now: datetime) -> Finding:
    """Compare with the database's clock, at the middle of the question."""
    with connections["default"].cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
        after = timezone.now()
    skew = abs(theirs - (before + (after - before) / 2))
    text = f"{skew.total_seconds():.1f} s apart from the database's clock"
    advice = "Let chrony or systemd-timesyncd set the clocks of all machines."
    if skew > MOST_SKEW:
        return problem(text, advice)
    return warning(text, advice) if skew > SKEW else ok(text)


def check_redis(_now: datetime) -> Finding:
    django_rq.get_connection("high").ping()
    return ok("answers")


def check_disk(_now: datetime) -> Finding:
    """Look at the data folder, where the embedded servers write."""
    folder = settings.QUICKCART_DATA_DIR
    if not folder.exists():
        return ok("nothing is kept on this machine")
    usage = shutil.disk_usage(folder)
    text = f"{usage.free / 1024**3:.1f} GB free for {folder.name}"
    if usage.free < LEAST_FREE:
        return problem(text, "Make room: PostgreSQL stops when it cannot write.")
    return ok(text)
