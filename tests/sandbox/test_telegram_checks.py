import ast
from pathlib import Path

import pytest

import sandbox
from sandbox.checks import check_sandbox_stands_alone
from sandbox.telegram.bot import DEMO_TOKEN


def found():
    return [error.id for error in check_sandbox_stands_alone(None)]


@pytest.mark.parametrize("token", ["", DEMO_TOKEN])
def test_the_demo_passes(settings, token):
    settings.SANDBOX, settings.DEBUG, settings.TELEGRAM_BOT_TOKEN = True, True, token

    assert found() == []


def test_a_real_token_is_refused(settings):
    settings.SANDBOX, settings.DEBUG, settings.TELEGRAM_BOT_TOKEN = True, True, "123456:real"

    assert found() == ["sandbox.E001"]


def test_a_public_server_is_refused(settings):
    settings.SANDBOX, settings.DEBUG, settings.TELEGRAM_BOT_TOKEN = True, False, ""

    assert found() == ["sandbox.E002"]


def test_a_shop_without_sandbox_has_nothing_to_say(settings):
    settings.SANDBOX, settings.DEBUG, settings.TELEGRAM_BOT_TOKEN = False, False, "123456:real"

    assert found() == []


def test_the_stand_in_imports_neither_the_shop_nor_a_bot_library():
    allowed = {"sandbox", "django", "httpx"}
    foreign = {"core", "audit", "accounts", "catalog", "orders", "payments", "telegram_bot"}
    foreign |= {"backoffice", "operations", "quickcart", "telegram", "aiogram"}

    for source in Path(sandbox.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            tops = {name.partition(".")[0] for name in names}
            assert not tops & foreign - allowed, source
