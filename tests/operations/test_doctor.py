"""`manage.py doctor`: each check when all is well, and when something is not."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import django_rq
import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import OperationalError, connections
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisGone
from telegram.error import TimedOut

from audit.models import AuditEntry
from catalog.models import StockItem
from core.encryption import key_id
from core.heartbeat import beat
from core.models import Heartbeat, OutboxMessage
from core.outbox import enqueue_message
from operations import doctor, health
from operations.doctor import CHECKS, Finding, Level, examine
from payments import gateways
from payments.models import Case
from sandbox.telegram.state import change_state
from telegram_bot import client
from tests.bank import Bank
from tests.bot.in_process import Driver, InProcessRequest
from tests.world import World

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
NOW = timezone.now()


@pytest.fixture(autouse=True)
def telegram(
    monkeypatch: pytest.MonkeyPatch, settings: Any, bank: Bank
) -> Iterator[InProcessRequest]:
    """All is well: the stand-ins answer, every process was seen just now."""
    settings.DEBUG = True  # as the sandbox wants it
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    # This clock stands still, the database's does not.
    monkeypatch.setattr("operations.doctor.servers.SKEW", timedelta(hours=1))
    monkeypatch.setattr("operations.doctor.servers.MOST_SKEW", timedelta(hours=1))
    worker = SimpleNamespace(last_heartbeat=NOW)
    monkeypatch.setattr(health, "Worker", SimpleNamespace(all=lambda connection: [worker]))
    for name in ("bot", "scheduler"):
        beat(name=name, now=NOW)
    request = InProcessRequest()
    monkeypatch.setattr(client, "build_request", lambda **_: request)
    yield request
    for name in ("high", "default", "low"):
        registry = queue(name).failed_job_registry
        queue(name).empty()
        for job in registry.get_job_ids():
            registry.remove(job, delete_job=True)


def expect(name: str, level: Level, *words: str) -> Finding:
    """Ask for one check only, so that another's trouble cannot stand in for it."""
    found = doctor._run(CHECKS[name], NOW)
    assert found.level == level, found
    for word in words:
        assert word in found.text, found
    assert bool(found.advice) == (level != Level.OK)
    return found


def queue(name: str) -> Any:
    """Return a queue that does not wait for the commit a test never makes."""
    return django_rq.get_queue(name, commit_mode="auto")


def telegram_call(settings: Any, method: str, **fields: Any) -> None:
    Driver().post(f"/sandbox/telegram/bot{settings.TELEGRAM_BOT_TOKEN}/{method}", fields)


def doctor_says(*options: str) -> tuple[int, str]:
    said = StringIO()
    try:
        call_command("doctor", *options, stdout=said)
    except SystemExit as ended:
        return int(str(ended.code)), said.getvalue()
    return 0, said.getvalue()


class TestAll:
    def test_a_healthy_shop_has_nothing_to_do(self, world: World) -> None:
        world.product(stock=1)
        AuditEntry.objects.update(shipped_at=NOW)
        levels = {name: each.level for name, each in examine(now=NOW).items()}
        assert levels == dict.fromkeys(CHECKS, Level.OK)

    def test_the_command_writes_a_line_for_each_check(self) -> None:
        code, said = doctor_says()
        lines = said.splitlines()
        assert code == 0
        assert [line[9:25].strip() for line in lines[:-1]] == list(CHECKS)
        assert lines[-1] == "0 problems, 0 warnings."

    def test_a_warning_is_no_failure_and_says_what_to_do(self) -> None:
        Case.objects.create(kind="delivery_failed", key="t", opened_at=NOW - timedelta(hours=2))
        code, said = doctor_says()
        assert code == 0
        (line,) = [line for line in said.splitlines() if line.startswith("warning")]
        assert "1 open (the oldest for 2:00:00). Somebody must look at them" in line

    def test_a_problem_fails(self) -> None:
        Heartbeat.objects.filter(pk="bot").delete()
        code, said = doctor_says()
        assert code == 1
        assert "problem  bot              never seen. Start manage.py runbot." in said

    def test_json(self) -> None:
        Heartbeat.objects.filter(pk="bot").delete()
        code, said = doctor_says("--json")
        found = json.loads(said)
        assert code == 1
        assert set(found) == {"ok", "checked_at", "checks"}
        assert found["ok"] is False
        assert [each["name"] for each in found["checks"]] == list(CHECKS)
        assert {
            "name": "bot",
            "level": "problem",
            "text": "never seen",
            "advice": "Start manage.py runbot.",
        } in found["checks"]

    def test_a_check_that_crashes_is_a_problem_and_stops_no_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(_now: Any) -> Finding:
            raise ValueError("postgres://user:secret@host/name")

        monkeypatch.setitem(CHECKS, "redis", crash)
        found = examine(now=NOW)
        assert found["redis"].text == "could not be checked (ValueError)"
        assert found["redis"].level == Level.PROBLEM
        assert list(found) == list(CHECKS)

    def test_no_secret_is_printed(
        self, world: World, settings: Any, telegram: InProcessRequest
    ) -> None:
        world.product(stock=1)
        secrets = [
            settings.TELEGRAM_BOT_TOKEN,
            settings.PAKASIR_API_KEY,
            settings.PAKASIR_WEBHOOK_SECRET,
            settings.STOCK_FINGERPRINT_KEY,
            settings.SECRET_KEY,
            *settings.STOCK_KEYS,
        ]
        settings.PAKASIR_API_KEY = "wrong-api-key"
        settings.TELEGRAM_BOT_TOKEN = "123:wrong-token"
        secrets += ["wrong-api-key", "123:wrong-token"]
        for options in ((), ("--json",)):
            _code, said = doctor_says(*options)
            assert [secret for secret in secrets if secret in said] == []


class TestServers:
    def test_settings_that_a_check_refuses(self, settings: Any) -> None:
        expect("settings", Level.OK, "sandbox")
        settings.STOCK_KEYS = []
        expect("settings", Level.PROBLEM, "core.E001")

    def test_settings_of_a_real_shop(self, settings: Any) -> None:
        settings.SANDBOX = False
        settings.DEBUG = False
        settings.PUBLIC_URL = "http://shop.example"
        expect("settings", Level.WARNING, "not https")
        settings.PUBLIC_URL = "https://shop.example"
        expect("settings", Level.OK, "https://shop.example")
        settings.DEBUG = True
        expect("settings", Level.WARNING, "DEBUG is on")

    @pytest.mark.parametrize(
        ("name", "alias"), [("database", "default"), ("audit database", "audit")]
    )
    def test_a_database_that_does_not_answer(
        self, monkeypatch: pytest.MonkeyPatch, name: str, alias: str
    ) -> None:
        expect(name, Level.OK, "PostgreSQL")

        def silent(*_: Any) -> Any:
            raise OperationalError

        monkeypatch.setattr(connections[alias], "cursor", silent)
        expect(name, Level.PROBLEM, "does not answer")

    def test_a_database_that_is_too_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("operations.doctor.servers.OLDEST_POSTGRESQL", 99)
        expect("database", Level.PROBLEM, "too old")

    def test_missing_migrations(self) -> None:
        expect("migrations", Level.OK)
        with connections["audit"].cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'audit'")
        expect("migrations", Level.PROBLEM, "audit database")

    @pytest.mark.parametrize(
        ("seconds", "level"), [(1, Level.OK), (10, Level.WARNING), (-60, Level.PROBLEM)]
    )
    def test_a_clock_that_is_off(
        self, monkeypatch: pytest.MonkeyPatch, seconds: int, level: Level
    ) -> None:
        monkeypatch.undo()
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            theirs = cursor.fetchone()[0]
        monkeypatch.setattr(timezone, "now", lambda: theirs + timedelta(seconds=seconds))
        expect("clock", level, "apart")

    def test_a_redis_that_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expect("redis", Level.OK)

        def gone(_name: str) -> Any:
            raise RedisGone

        monkeypatch.setattr(django_rq, "get_connection", gone)
        expect("redis", Level.PROBLEM, "does not answer")

    def test_a_disk_that_is_full(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any
    ) -> None:
        settings.QUICKCART_DATA_DIR = tmp_path / "nothing"
        expect("disk", Level.OK, "nothing is kept")
        settings.QUICKCART_DATA_DIR = tmp_path
        monkeypatch.setattr("operations.doctor.servers.LEAST_FREE", 0)
        expect("disk", Level.OK, "GB free")
        monkeypatch.setattr("operations.doctor.servers.LEAST_FREE", 2**70)
        expect("disk", Level.PROBLEM, "GB free")


class TestKeys:
    @pytest.fixture(autouse=True)
    def _goods(self, world: World, settings: Any) -> None:
        settings.STOCK_KEYS = [Fernet.generate_key().decode()]
        world.product(stock=["a", "b"])

    def test_a_key_that_is_gone_is_named_early(self, settings: Any) -> None:
        lost = key_id(settings.STOCK_KEYS[0])
        expect("stock keys", Level.OK, "all 2 items", lost)
        settings.STOCK_KEYS = [Fernet.generate_key().decode()]
        expect("stock keys", Level.PROBLEM, f"2 under key {lost}")
        expect("fingerprint key", Level.WARNING, "do not open")

    def test_no_key_at_all(self, settings: Any) -> None:
        settings.STOCK_KEYS = []
        expect("stock keys", Level.PROBLEM, "STOCK_KEYS is empty")

    def test_items_under_an_old_key(self, settings: Any) -> None:
        settings.STOCK_KEYS = [Fernet.generate_key().decode(), *settings.STOCK_KEYS]
        found = expect("stock keys", Level.WARNING, "2 of 2 items are under an old key")
        assert found.advice == "Run manage.py rotate_stock_key."

    def test_an_old_key_that_nothing_needs(self, settings: Any) -> None:
        unused = Fernet.generate_key().decode()
        settings.STOCK_KEYS = [*settings.STOCK_KEYS, unused]
        expect("stock keys", Level.OK, f"nothing needs {key_id(unused)} any more")

    def test_items_whose_key_was_never_noted(self, settings: Any) -> None:
        StockItem.objects.update(key_id="")
        expect("stock keys", Level.WARNING, "the key of 2 items is not noted")
        settings.STOCK_KEYS = [Fernet.generate_key().decode()]
        expect("stock keys", Level.PROBLEM, "do not open (key not noted)")

    def test_goods_that_do_not_open_under_the_key_they_name(self, settings: Any) -> None:
        StockItem.objects.update(content=b"damaged")
        expect("stock keys", Level.PROBLEM, "do not open")

    def test_another_fingerprint_key(self, settings: Any) -> None:
        expect("fingerprint key", Level.OK)
        settings.STOCK_FINGERPRINT_KEY = "another"
        expect("fingerprint key", Level.PROBLEM, "no duplicate is found")
        StockItem.objects.all().delete()
        expect("fingerprint key", Level.OK, "no goods yet")


class TestTelegram:
    def test_a_bot_that_polls(self, settings: Any) -> None:
        expect("telegram", Level.OK, f"@{settings.BOT_USERNAME} by polling")

    def test_a_token_that_is_refused(self, settings: Any) -> None:
        settings.TELEGRAM_BOT_TOKEN = "123:another"
        expect("telegram", Level.PROBLEM, "TELEGRAM_BOT_TOKEN is refused")

    def test_no_answer(self, telegram: InProcessRequest) -> None:
        telegram.break_next("getMe", TimedOut())
        expect("telegram", Level.PROBLEM, "does not answer (TimedOut)")

    def test_the_token_of_another_bot(self, settings: Any) -> None:
        settings.BOT_USERNAME = "another_bot"
        expect("telegram", Level.WARNING, "not @another_bot's")

    def test_a_webhook_that_stops_polling(self, settings: Any) -> None:
        telegram_call(settings, "setWebhook", url="https://elsewhere.example/hook")
        expect("telegram", Level.PROBLEM, "polling is refused")

    def test_the_webhook_of_webhook_mode(self, settings: Any) -> None:
        settings.TELEGRAM_MODE = "webhook"
        expect("telegram", Level.PROBLEM, "another webhook is set, or none")
        telegram_call(settings, "setWebhook", url=settings.TELEGRAM_WEBHOOK_URL)
        expect("telegram", Level.OK, "by webhook")

    def test_a_webhook_that_failed_lately(self, settings: Any) -> None:
        settings.TELEGRAM_MODE = "webhook"
        telegram_call(settings, "setWebhook", url=settings.TELEGRAM_WEBHOOK_URL)
        change_state(webhook_failed_at=NOW, webhook_failure="Connection refused")
        expect("telegram", Level.WARNING, "failed lately: Connection refused")
        change_state(webhook_failed_at=NOW - timedelta(hours=2))
        expect("telegram", Level.OK)

    def test_updates_that_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("operations.doctor.outside.MANY_UPDATES", -1)
        expect("telegram", Level.WARNING, "0 updates wait")


class TestGateway:
    def test_the_key_is_accepted_without_a_transaction(self, bank: Bank) -> None:
        expect("gateway", Level.OK, "accepts our key")
        assert bank.transactions() == []

    def test_a_key_that_is_refused(self, settings: Any) -> None:
        settings.PAKASIR_API_KEY = "another"
        expect("gateway", Level.PROBLEM, "does not accept our key")

    def test_a_project_it_does_not_know(self, settings: Any) -> None:
        settings.PAKASIR_PROJECT = "another"
        expect("gateway", Level.PROBLEM, "does not know our project")

    @pytest.mark.parametrize("kind", ["500", "html", "empty"])
    def test_no_usable_answer(self, bank: Bank, kind: str) -> None:
        bank.fail("status", kind, times=5)
        expect("gateway", Level.PROBLEM, "no usable answer")

    def test_a_busy_one(self, bank: Bank) -> None:
        bank.fail("status", "429", times=5)
        expect("gateway", Level.OK, "busy")

    def test_one_that_is_not_known_at_all(self, settings: Any) -> None:
        settings.PAYMENT_GATEWAY = "another"
        expect("gateway", Level.PROBLEM, "ImproperlyConfigured")
        assert "pakasir" in gateways._GATEWAYS


class TestProcesses:
    @pytest.mark.parametrize("name", ["bot", "scheduler"])
    def test_a_process_that_was_not_seen(self, name: str) -> None:
        expect(name, Level.OK)
        beat(name=name, now=NOW - timedelta(minutes=5))
        expect(name, Level.PROBLEM, "last seen 300 s ago")

    def test_no_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expect("worker", Level.OK)
        monkeypatch.setattr(health, "Worker", SimpleNamespace(all=lambda connection: []))
        expect("worker", Level.PROBLEM, "never seen")

    def test_jobs_that_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expect("queues", Level.OK, "0 jobs wait")
        queue("high").enqueue("operator.add", 1, 2)
        monkeypatch.setattr("operations.doctor.processes.OLD_JOB", timedelta(days=1))
        expect("queues", Level.OK, "1 jobs wait")
        monkeypatch.setattr("operations.doctor.processes.OLD_JOB", timedelta(seconds=-60))
        expect("queues", Level.WARNING, "1 jobs wait")

    def test_too_many_jobs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("operations.doctor.processes.MANY_JOBS", 0)
        queue("low").enqueue("operator.add", 1, 2)
        expect("queues", Level.WARNING, "1 jobs wait")

    def test_jobs_that_failed(self) -> None:
        job = queue("default").enqueue("operator.truediv", 1, 0)
        queue("default").remove(job)
        queue("default").failed_job_registry.add(job, ttl=60, exc_string="ZeroDivisionError")
        expect("queues", Level.WARNING, "1 failed")


class TestBacklogs:
    def message(self, **fields: Any) -> None:
        enqueue_message(recipient=1, kind="paid", references={}, dedupe_key="t")
        OutboxMessage.objects.update(**fields)

    @pytest.mark.parametrize(
        ("age", "level"), [(30, Level.OK), (90, Level.WARNING), (660, Level.PROBLEM)]
    )
    def test_messages_that_are_late(self, age: int, level: Level) -> None:
        self.message(created_at=NOW - timedelta(seconds=age))
        expect("outbox", level, "1 messages are due (the oldest for 0:")

    def test_messages_that_wait_for_their_time(self) -> None:
        day = timedelta(days=1)
        self.message(created_at=NOW - day, not_before=NOW + day)
        expect("outbox", Level.OK, "0 messages are due, 1 wait for their time")

    def test_messages_that_failed_or_are_kept(self) -> None:
        expect("messages", Level.OK, "0 failed")
        self.message(state="blocked")
        expect("messages", Level.OK, "1 kept for who blocked the bot")
        self.message(state="failed")
        expect("messages", Level.WARNING, "1 failed for good")

    def test_cases(self) -> None:
        expect("cases", Level.OK)
        Case.objects.create(kind="delivery_failed", key="t", opened_at=NOW)
        expect("cases", Level.WARNING, "1 open")
        Case.objects.update(closed_at=NOW)
        expect("cases", Level.OK)

    @pytest.mark.parametrize(
        ("minutes", "level"), [(1, Level.OK), (6, Level.WARNING), (1500, Level.PROBLEM)]
    )
    def test_audit_entries_that_are_not_shipped(
        self, world: World, minutes: int, level: Level
    ) -> None:
        world.product(stock=0)
        AuditEntry.objects.update(at=NOW - timedelta(minutes=minutes))
        expect("audit trail", level, "1 entries are not shipped yet")
        AuditEntry.objects.update(shipped_at=NOW)
        expect("audit trail", Level.OK, "0 entries")
