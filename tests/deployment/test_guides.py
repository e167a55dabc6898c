"""What the guides tell an owner to type works."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from tests.deployment.composefile import ROOT, read_compose
from tests.quickcart.test_settings import start

PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("going-live.md", "operations.md")}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(PAGES[page]) if kind == language]


def block(page: str, part: str, language: str = "sh") -> str:
    (found,) = (text for text in blocks(page, language) if part in text)
    return str(found)


def assignments(text: str) -> dict[str, str]:
    lines = dict(line.split("=", 1) for line in text.splitlines())
    return {name: value.strip("'") for name, value in lines.items()}


def make_secrets(folder: Path) -> str:
    """Type the block that makes .env, in a folder; return what is in the file."""
    typed = block("going-live.md", "secrets.token_urlsafe")
    subprocess.run(["sh", "-ec", typed], cwd=folder, env={"PATH": os.environ["PATH"]}, check=True)
    return (folder / ".env").read_text()


def test_the_secrets_and_settings_it_names_start_a_shop_that_sells(tmp_path: Path) -> None:
    secrets = assignments(make_secrets(tmp_path))
    settings = assignments(block("going-live.md", "PUBLIC_URL="))
    webhook = assignments(block("going-live.md", "TELEGRAM_MODE="))
    code, output = start(tmp_path, **secrets, **settings, **webhook)
    assert code == 0, output
    assert "DEBUG = True" not in output


def test_it_never_overwrites_keys(tmp_path: Path) -> None:
    first = make_secrets(tmp_path)
    assert make_secrets(tmp_path) == first
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_command_exists(page: str) -> None:
    assert set(re.findall(r"manage\.py ([a-z_]+)", PAGES[page])) <= get_commands().keys()


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_service_exists(page: str) -> None:
    services = read_compose()["services"]
    named = re.findall(
        r"docker compose (?:logs|stop|exec|run)((?: -\S+)*(?: [a-z]+)+)", PAGES[page]
    )
    assert named
    words = {word for line in named for word in line.split() if not word.startswith("-")}
    assert words - {"python", "manage", "pg"} <= services.keys()


def test_the_bots_port_for_webhooks_is_where_it_listens() -> None:
    override = yaml.safe_load(block("going-live.md", "services:", "yaml"))
    bot = read_compose()["services"]["bot"]
    port = bot["environment"]["TELEGRAM_WEBHOOK_PORT"]
    assert bot["environment"]["TELEGRAM_WEBHOOK_HOST"] == "0.0.0.0"  # noqa: S104 (in its container)
    assert override == {"services": {"bot": {"ports": [f"127.0.0.1:{port}:{port}"]}}}
    assert f"reverse_proxy /telegram/webhook 127.0.0.1:{port}" in PAGES["going-live.md"]


def test_the_unit_leaves_the_shop_time_to_end() -> None:
    unit = block("going-live.md", "[Service]", "ini")
    assert "ExecStart=/srv/quickcart/script/server\n" in unit
    assert "KillMode=mixed\n" in unit
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) >= 60


def test_what_is_backed_up_is_what_compose_makes() -> None:
    environment = read_compose()["services"]["web"]["environment"]
    for name in ("DATABASE_URL", "AUDIT_DATABASE_URL"):
        database = environment[name].rpartition("/")[2]
        for command in ("pg_dump", "pg_restore"):
            typed = block("operations.md", f"{command} -U")
            assert re.search(
                rf"{command} .* {database} [<>] {database}\.dump$", typed, re.MULTILINE
            )
