"""The pages for people: start, chat, documents; and that a real shop has none of them."""

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders

from quickcart import urls
from quickcart.local.server import _addresses
from sandbox.pages.markdown import read_markdown
from tests.quickcart.test_settings import REAL

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["/", "/sandbox/", "/sandbox/docs/", "/sandbox/docs/design/"]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class Tags(HTMLParser):
    """Every tag with its attributes, and what stands in scripts."""

    def __init__(self, html):
        super().__init__()
        self.found, self.scripts = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.found and self.found[-1][0] == "script" and data.strip():
            self.scripts.append(data)

    def of(self, tag, attribute):
        return [
            attrs[attribute] for name, attrs in self.found if name == tag and attribute in attrs
        ]


def read(client, path):
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


@pytest.fixture
def pages(client, telegram):
    key = {"X-Api-Key": django_settings.SANDBOX_PAKASIR_API_KEY}
    url = "/sandbox/pakasir/api/v2/create-transaction/quickcart-demo/ORDER-1"
    body = {"method": "qris", "amount": 5000}
    made = client.post(url, body, content_type="application/json", headers=key).json()
    return [*PAGES, f"/sandbox/pakasir/pay-v2/{made['txn_id']}"]


def test_every_page_may_load_only_what_is_its_own(client, pages):
    for path in pages:
        response = client.get(path)
        assert response["Content-Security-Policy"] == POLICY, path
        assert response["Cache-Control"] == "no-store", path


def test_no_page_holds_what_its_policy_forbids(client, pages):
    for path in pages:
        tags = Tags(read(client, path))
        names = {name for _, attrs in tags.found for name in attrs}
        assert tags.scripts == [], path
        assert not [name for name in names if name == "style" or name.startswith("on")], path
        assert "style" not in {tag for tag, _ in tags.found}, path


def test_what_pages_load_is_there(client, pages):
    for path in pages:
        tags = Tags(read(client, path))
        sources = tags.of("img", "src") + tags.of("script", "src")
        links = [a["href"] for tag, a in tags.found if tag == "link" and a["rel"] == "stylesheet"]
        for source in sources + links:
            if source.startswith("/static/sandbox/"):
                assert finders.find(source.removeprefix("/static/")), (path, source)


def test_static_files_are_served_as_they_are_in_the_app(client):
    response = client.get("/static/sandbox/pages.css")

    assert response.status_code == 200
    content = b"".join(response)
    assert content == (ROOT / "sandbox/static/sandbox/pages.css").read_bytes()


def test_the_start_page_leads_everywhere(client, settings):
    html = read(client, "/")

    assert {"/sandbox/", "/admin/", "/sandbox/docs/", "/health/ready/"} <= set(
        Tags(html).of("a", "href")
    )
    assert "<kbd>owner</kbd>" in html
    assert "<kbd>quickcart-demo</kbd>" in html
    settings.SANDBOX_STAFF_LOGIN = {"username": "<boss>", "password": "p"}
    assert "<kbd>&lt;boss&gt;</kbd>" in read(client, "/")


def test_the_chat_page_knows_bot_and_back_office(client, settings):
    context = client.get("/sandbox/").context

    assert context["bot_name"] == settings.SANDBOX_BOT_NAME
    assert context["bot_username"] == settings.SANDBOX_BOT_USERNAME
    assert context["store_name"] == settings.STORE_NAME
    assert context["admin_url"] == "/admin/"


@pytest.fixture
def library(settings, tmp_path):
    """A README and documents of our own."""
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs/pictures").mkdir(parents=True)
    (tmp_path / "README.md").write_text("# The shop\n\n[How](docs/how.md#steps) [x](manage.py)")
    (tmp_path / "docs/how.md").write_text(
        "# How it works\n\n## Steps\n\n[Back](../README.md) ![A picture](pictures/a.png)\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>alert(1)</script>"
    )
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "docs/secret.txt").write_text("secret")
    return tmp_path


def test_readme_is_the_first_page_and_links_lead_to_pages(client, library):
    html = read(client, "/sandbox/docs/")

    assert '<a href="/sandbox/docs/how/#steps">How</a>' in html
    assert "<a>x</a>" in html
    assert "<title>The shop" in html
    assert 'href="/sandbox/docs/how/">How it works</a>' in html


def test_a_document_is_shown_with_tables_pictures_and_anchors_but_no_html(client, library):
    html = read(client, "/sandbox/docs/how/")

    assert '<h2 id="steps">Steps</h2>' in html
    assert '<a href="/sandbox/docs/">Back</a>' in html
    assert 'src="/sandbox/docs/pictures/a.png"' in html
    assert "<td>1</td>" in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("[a](https://x.example/y.md)", 'href="https://x.example/y.md" target="_blank"'),
        ("[a](#here)", 'href="#here"'),
        ("[a](/health/)", 'href="/health/"'),
        ("[a](design.md)", 'href="/sandbox/docs/design/"'),
        ("[a](../../docs/x.md)", "<a>a</a>"),
        ("[a](javascript:alert)", "<p>[a](javascript:alert)</p>"),
        ("# A b\n# A b", '<h1 id="a-b">A b</h1>\n<h1 id="a-b-1">'),
    ],
)
def test_links_and_anchors(source, html):
    assert html in read_markdown(source, folder="docs").html


def test_every_link_between_our_documents_arrives(client):
    names = ["", "readme-id/", *(f"{path.stem}/" for path in (ROOT / "docs").glob("*.md"))]
    pages = {
        f"/sandbox/docs/{name}": Tags(read(client, f"/sandbox/docs/{name}")) for name in names
    }

    for path, tags in pages.items():
        for href in tags.of("a", "href"):
            target, _, anchor = (href if href[0] != "#" else path + href).partition("#")
            if not target.startswith("/sandbox/docs/"):
                continue
            assert target in pages, (path, href)
            ids = {attrs.get("id") for _, attrs in pages[target].found}
            assert not anchor or anchor in ids, (path, href)
        for src in tags.of("img", "src"):
            response = client.get(src)
            assert response.status_code == 200, (path, src)
            assert b"".join(response), (path, src)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "image/png"), ("b.webp", "image/webp"), ("c.svg", "image/svg+xml")],
)
def test_pictures_of_the_documents_are_served(client, library, name, kind):
    (library / "docs/pictures" / name).write_bytes(b"picture")

    response = client.get(f"/sandbox/docs/pictures/{name}")

    assert response["Content-Type"] == kind
    assert b"".join(response) == b"picture"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    [
        "none.png", "..%2f..%2fsecret.png", "..%2fsecret.txt", "%2e%2e/secret.txt", "link.png",
        "notes.txt", "..", "%00.png", "sub%2fa.png",
    ],
)  # fmt: skip
def test_nothing_else_is_served_as_a_picture(client, library, name):
    (library / "docs/pictures/notes.txt").write_text("secret")
    (library / "docs/pictures/link.png").symlink_to(library / "secret.png")

    assert client.get(f"/sandbox/docs/pictures/{name}").status_code == 404


@pytest.mark.parametrize("name", ["none", "..%2fREADME", "secret", "..%2f..%2fetc%2fpasswd"])
def test_nothing_else_is_shown_as_a_document(client, library, name):
    assert client.get(f"/sandbox/docs/{name}/").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_only_read(client, path):
    assert client.post(path).status_code == 405


@pytest.fixture
def real_shop(settings, monkeypatch):
    """The addresses of a shop without its sandbox."""
    settings.SANDBOX = False
    spec = importlib.util.spec_from_file_location("real_urls", urls.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "real_urls", module)
    settings.ROOT_URLCONF = "real_urls"


@pytest.mark.parametrize("debug", [False, True])
def test_the_front_door_of_a_real_shop_gives_nothing_away(client, settings, real_shop, debug):
    settings.DEBUG = debug

    response = client.get("/")

    assert response.status_code == 404
    body = response.content.decode()
    words = re.sub(r"<[^>]+>|\s+", " ", body).split()
    assert " ".join(words) == (
        "Not Found Not Found The requested resource was not found on this server."
    )
    assert not re.search("django|python|admin|quickcart|gunicorn|webhooks", body, re.IGNORECASE)
    assert client.get("/health/").status_code == 200


def test_a_real_shop_has_no_sandbox(client, real_shop):
    paths = [
        "",
        "live/",
        "docs/",
        "docs/design/",
        "api/users/",
        "api/inbox/",
        "pakasir/api/faults/",
    ]
    for path in [*paths, "telegram/bot900000000:SANDBOX-demo-token-not-a-secret/getMe"]:
        assert client.get(f"/sandbox/{path}").status_code == 404
        assert client.post(f"/sandbox/{path}").status_code == 404


def test_a_real_shop_collects_no_file_of_the_sandbox(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--dry-run", "-v2"],
        cwd=ROOT,
        env={**REAL, "QUICKCART_DATA_DIR": str(tmp_path), "QUICKCART_ENV_FILE": "/dev/null"},
        capture_output=True,
        text=True,
        check=True,
    )
    copied = re.findall(r"^Pretending to copy '(.*)'$", done.stdout, re.MULTILINE)
    assert copied
    assert [path for path in copied if "/static/sandbox/" in path] == []


def test_the_printed_addresses_are_aligned_and_name_the_login(settings):
    settings.PUBLIC_URL = "http://shop.test"

    assert _addresses().splitlines() == [
        "QuickCart is ready.",
        "  Start here   http://shop.test/",
        "  Chat         http://shop.test/sandbox/",
        "  Back office  http://shop.test/admin/   user: owner   password: quickcart-demo",
        "  Health       http://shop.test/health/ready/",
    ]


def test_a_real_shop_prints_no_login(settings):
    settings.PUBLIC_URL, settings.SANDBOX = "https://shop.test", False
    settings.BOT_USERNAME = "shop_bot"

    assert _addresses().splitlines() == [
        "QuickCart is ready.",
        "  Bot          https://t.me/shop_bot",
        "  Webhook      https://shop.test/webhooks/pakasir/",
        "  Back office  https://shop.test/admin/",
        "  Health       https://shop.test/health/ready/",
    ]


@pytest.mark.parametrize("path", ["/nope", "/nope/", "/sandbox/nope/", "/sandbox/docs/x/y/"])
def test_where_nothing_is_a_page_leads_on(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"Nothing here" in answer.content
    assert b"urlpatterns" not in answer.content


def test_a_forgotten_slash_is_added(client):
    for path in ("/sandbox", "/sandbox/docs", "/health/ready"):
        assert client.get(path).headers["Location"] == f"{path}/"
    assert client.post("/sandbox").status_code == 404
