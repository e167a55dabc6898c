"""What the settings of a shop that sells promise to browsers and hide from strangers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.quickcart.test_settings import REAL, ROOT

pytestmark = pytest.mark.slow
ASK = """
import sys
from django.test import Client
import quickcart.wsgi

address, scheme = sys.argv[1:]
client = Client(raise_request_exception=False)
client.cookies["sessionid"] = "somebody"
answer = client.get(address, HTTP_HOST="shop.example", HTTP_X_FORWARDED_PROTO=scheme)
print(answer.status_code, answer.get("Location", "-"),
      answer.get("Strict-Transport-Security", "-"))
print(answer.content.decode())
"""


def run(tmp_path: Path, *command: str, **settings: str) -> str:
    environment = {"PATH": os.environ["PATH"], "QUICKCART_ENV_FILE": os.devnull}
    environment |= {"QUICKCART_DATA_DIR": str(tmp_path), "LOG_LEVEL": "ERROR"} | REAL | settings
    environment |= {"SECRET_KEY": "Zk3v9Qx7Lm2Rt8Wb5Yc1Nd6Hf4Gj0SpAaUuEeIiOo_12345678"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(tmp_path: Path, address: str, scheme: str, **settings: str) -> tuple[str, str]:
    """Return status, Location and HSTS header in one line, and the body."""
    first, _, body = run(tmp_path, "-c", ASK, address, scheme, **settings).partition("\n")
    return first, body


def test_django_finds_nothing_to_warn_of(tmp_path: Path) -> None:
    options = ["check", "--deploy", "--fail-level", "WARNING"]
    run(tmp_path, "manage.py", *options, BEHIND_PROXY="true")


def test_behind_a_proxy_plain_requests_are_sent_to_https(tmp_path: Path) -> None:
    said, _ = ask(tmp_path, "/admin/", "http", BEHIND_PROXY="true")
    assert said == "301 https://shop.example/admin/ -"


def test_whoever_watches_the_process_is_answered_without_tls(tmp_path: Path) -> None:
    said, _ = ask(tmp_path, "/health/", "http", BEHIND_PROXY="true")
    assert said == "200 - -"


def test_over_tls_browsers_are_told_to_stay_there(tmp_path: Path) -> None:
    said, _ = ask(tmp_path, "/health/", "https", BEHIND_PROXY="true")
    assert said == "200 - max-age=31536000"


def test_without_a_proxy_nobody_is_believed_or_sent_in_circles(tmp_path: Path) -> None:
    said, _ = ask(tmp_path, "/health/", "https")
    assert said == "200 - -"
    said, _ = ask(tmp_path, "/nothing/", "http")
    assert said.startswith("404 ")


@pytest.mark.parametrize("address", ["/nothing/", "/sandbox/api/calls/", "/.env"])
def test_a_page_that_does_not_exist_gives_nothing_away(tmp_path: Path, address: str) -> None:
    said, body = ask(tmp_path, address, "https", BEHIND_PROXY="true")
    assert said.startswith("404 ")
    for word in ("Traceback", "URLconf", "DEBUG", "Django", str(ROOT)):
        assert word not in body


def test_an_error_gives_nothing_away(tmp_path: Path) -> None:
    # There is no database here that could know the session.
    said, body = ask(tmp_path, "/admin/", "https", BEHIND_PROXY="true")
    assert said.startswith("500 ")
    for word in ("Traceback", "Exception", "DATABASES", "Django", str(ROOT)):
        assert word not in body
