"""A start with wrong settings says all that is wrong, in one sentence each, and nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow  # each starts a process
REAL = {
    "TELEGRAM_BOT_TOKEN": "123456:real-token",
    "BOT_USERNAME": "shop_bot",
    "PAKASIR_PROJECT": "shop",
    "PAKASIR_API_KEY": "key",
    "PAKASIR_WEBHOOK_SECRET": "secret",
    "SECRET_KEY": "s" * 40,
    "STOCK_KEYS": Fernet.generate_key().decode(),
    "STOCK_FINGERPRINT_KEY": "f" * 40,
    "AUDIT_KEY": "a" * 40,
    "ALLOWED_HOSTS": "shop.example",
    "PUBLIC_URL": "https://shop.example",
}


def start(tmp_path: Path, **environment: str) -> tuple[int, str]:
    """Load the settings in a process of their own; return exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", "diffsettings"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "QUICKCART_DATA_DIR": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr + done.stdout


def sentences(output: str) -> list[str]:
    return re.findall(r"^- (.+)$", output, re.MULTILINE)


def test_no_settings_at_all_start_the_sandbox(tmp_path: Path) -> None:
    code, output = start(tmp_path)
    assert code == 0
    assert "SANDBOX = True" in output


def test_a_token_and_keys_start_the_real_shop_with_debug_off(tmp_path: Path) -> None:
    code, output = start(tmp_path, **REAL)
    assert code == 0, output
    assert "SANDBOX = False" in output
    assert "DEBUG = True" not in output


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    code, output = start(tmp_path, TELEGRAM_BOT_TOKEN="123456:real-token")
    assert code != 0
    assert "Traceback" not in output
    named = {sentence.split(" ", maxsplit=1)[0] for sentence in sentences(output)}
    assert named == {
        "ALLOWED_HOSTS",
        "AUDIT_KEY",
        "BOT_USERNAME",
        "PAKASIR_API_KEY",
        "PAKASIR_PROJECT",
        "PAKASIR_WEBHOOK_SECRET",
        "SECRET_KEY",
        "STOCK_FINGERPRINT_KEY",
        "STOCK_KEYS",
    }


def test_everything_that_is_malformed_is_said_at_once(tmp_path: Path) -> None:
    wrong = {
        "PORT": "eighty",
        "DEBUG": "maybe",
        "PUBLIC_URL": "shop.example",
        "STORE_TIMEZONE": "Asia/Atlantis",
        "STORE_LANGUAGE": "fr",
        "ADMIN_USER_IDS": "1,two",
        "STOCK_KEYS": "too-short",
        "TELEGRAM_MODE": "carrier-pigeon",
        "DATABASE_URL": "mysql://localhost/shop",
    }
    code, output = start(tmp_path, **wrong)
    assert code != 0
    assert "Traceback" not in output
    said = sentences(output)
    assert all(any(sentence.startswith(name) for sentence in said) for name in wrong), output
    assert "too-short" not in output  # a key that is nearly right is a secret too


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SANDBOX": "true"}, "SANDBOX cannot be on beside a real TELEGRAM_BOT_TOKEN"),
        ({"TELEGRAM_BOT_TOKEN": "12"}, "TELEGRAM_BOT_TOKEN must look like"),
        ({"SECRET_KEY": ""}, "SECRET_KEY must be a secret of your own"),
        ({"STOCK_KEYS": ""}, "STOCK_KEYS must hold keys of your own"),
        ({"AUDIT_KEY": "a" * 31}, "AUDIT_KEY must be a secret of your own"),
        (
            {"DATABASE_URL": "postgres://db/shop"},
            "AUDIT_DATABASE_URL is missing or the same as DATABASE_URL",
        ),
        ({"TELEGRAM_MODE": "webhook"}, "TELEGRAM_WEBHOOK_SECRET must have at least 16"),
    ],
)
def test_a_contradiction_is_one_sentence(
    tmp_path: Path, changes: dict[str, str], sentence: str
) -> None:
    code, output = start(tmp_path, **(REAL | changes))
    assert code != 0
    assert any(said.startswith(sentence) for said in sentences(output)), output


def test_the_sandbox_is_refused_with_debug_off(tmp_path: Path) -> None:
    code, output = start(tmp_path, SANDBOX="true", DEBUG="false")
    assert code != 0
    assert any("SANDBOX cannot be on with DEBUG off" in said for said in sentences(output))


def test_a_secret_that_starts_with_a_dollar_is_taken_as_it_is(tmp_path: Path) -> None:
    code, output = start(tmp_path, **(REAL | {"PAKASIR_API_KEY": "$not-a-reference"}))
    assert code == 0, output
