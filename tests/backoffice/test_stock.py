"""Stock added and withdrawn: what is stored, what is said, and that goods never come back."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from redis.exceptions import ConnectionError as NoRedis

from audit.models import AuditEntry
from catalog.models import Product, StockBatch, StockItem, StockState
from catalog.selectors import stock_counts
from core.encryption import decrypt
from orders.models import OrderStatus
from tests.backoffice.pages import actor, body, said, url, words
from tests.world import World

CONTENT = "rahasia-sekali@contoh.id|kata-sandi"
pytestmark = pytest.mark.django_db


def address(product: Product) -> str:
    return reverse("admin:catalog_product_add_stock", args=[product.pk])


def paste(owner: Client, product: Product, text: str, how: str = "lines") -> Any:
    return owner.post(address(product), {"how": how, "text": text})


def send(owner: Client, product: Product, data: bytes, how: str = "lines") -> Any:
    return owner.post(address(product), {"how": how, "file": SimpleUploadedFile("stok.txt", data)})


def goods(product: Product) -> list[str]:
    return [decrypt(item.content).decode() for item in product.stock.order_by("pk")]


@pytest.fixture
def product(world: World) -> Product:
    return world.product(number=101, stock=0)


class TestUnique:
    def test_one_item_per_line(self, owner: Client, product: Product) -> None:
        answer = paste(owner, product, " a@x|1 \r\n\r\nb@x|2\n")
        assert answer.status_code == 302
        assert goods(product) == ["a@x|1", "b@x|2"]
        batch = StockBatch.objects.get()
        assert batch.imported_by == actor()
        assert (
            said(answer)
            == f"2 items imported as batch {batch.pk}. Ready to be bought in the chat."
        )

    def test_one_item_per_block(self, owner: Client, product: Product) -> None:
        paste(owner, product, "user: a\npw: 1\n\n\n\nuser: b\npw: 2", "blocks")
        assert goods(product) == ["user: a\npw: 1", "user: b\npw: 2"]

    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]
    )
    def test_text_files_in_every_usual_encoding(
        self, owner: Client, product: Product, encoding: str
    ) -> None:
        send(owner, product, "kopi@x|é\r\nteh@x|2\r\n".encode(encoding))
        assert goods(product) == ["kopi@x|é", "teh@x|2"]

    def test_duplicates_are_skipped_and_named_by_their_lines(
        self, owner: Client, product: Product
    ) -> None:
        paste(owner, product, "a\nb")
        answer = paste(owner, product, "c\n\na\nd\nc\nb")
        batch = StockBatch.objects.latest("pk")
        assert said(answer).endswith(
            f"2 items imported as batch {batch.pk}. 3 items skipped, already in the"
            " product or twice in this upload: lines 3, 5–6."
        )
        assert goods(product) == ["a", "b", "c", "d"]

    def test_nothing_is_stored_when_one_item_is_too_long(
        self, owner: Client, product: Product
    ) -> None:
        answer = paste(owner, product, f"ok\n\n{'x' * 5_001}")
        assert "Line 3 is longer than 5,000 characters. Nothing was stored." in words(answer)
        assert not StockItem.objects.exists()
        assert not StockBatch.objects.exists()

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"PK\x03\x04rest of a workbook", "Excel, Word or zip file"),
            (b"\x80\x81\x82\x83\x84\x85", "not plain text"),
            (b"\n \n\t\n", "every line is empty"),
        ],
    )
    def test_unreadable_files_are_refused_in_a_sentence(
        self, owner: Client, product: Product, data: bytes, sentence: str
    ) -> None:
        answer = send(owner, product, data)
        assert sentence in words(answer)
        assert not StockItem.objects.exists()

    def test_text_or_a_file_but_not_both_and_not_neither(
        self, owner: Client, product: Product
    ) -> None:
        file = SimpleUploadedFile("stok.txt", b"b")
        both = owner.post(address(product), {"how": "lines", "text": "a", "file": file})
        assert "not both" in words(both)
        assert "Paste your stock, or choose a text file." in words(paste(owner, product, " "))
        assert not StockItem.objects.exists()

    @pytest.mark.slow
    def test_ten_thousand_lines(self, owner: Client, product: Product) -> None:
        text = "\n".join(f"user{n}@contoh.id|pw" for n in range(10_000))
        assert "10,000 items imported" in said(paste(owner, product, text))
        assert product.stock.available().count() == 10_000


class TestSharedAndFile:
    def test_the_new_content_replaces_the_version_that_is_sold(
        self, owner: Client, world: World
    ) -> None:
        course = world.product(kind="shared")
        assert "replaces the version" in body(owner, address(course))
        answer = owner.post(address(course), {"text": "https://course.example/2"})
        assert "receives the new version" in said(answer)
        current = course.stock.available().get()
        assert decrypt(current.content) == b"https://course.example/2"

    def test_the_same_content_changes_nothing(self, owner: Client, world: World) -> None:
        course = world.product(kind="shared")
        answer = owner.post(address(course), {"text": "https://course.example/join"})
        assert "nothing changed" in said(answer)
        assert course.stock.count() == 1

    def test_a_document(self, owner: Client, world: World) -> None:
        book = world.product(kind="file")
        owner.post(address(book), {"file": SimpleUploadedFile("buku.pdf", b"%PDF new")})
        item = book.stock.available().get()
        assert (item.file_name, decrypt(item.content)) == ("buku.pdf", b"%PDF new")

    def test_a_document_telegram_would_not_deliver(self, owner: Client, world: World) -> None:
        book = world.product(kind="file")
        large = SimpleUploadedFile("buku.pdf", b"x" * (20 * 1024 * 1024 + 1))
        assert "larger than 20 MB" in words(owner.post(address(book), {"file": large}))
        assert book.stock.count() == 1


class TestSecrecy:
    def test_goods_come_back_nowhere(
        self, owner: Client, product: Product, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        refused = paste(owner, product, f"{CONTENT}\n{'x' * 5_001}")
        stored = paste(owner, product, CONTENT)
        again = paste(owner, product, CONTENT)
        for answer in (refused, stored, again):
            assert CONTENT not in answer.content.decode()
            assert CONTENT not in said(answer)
        item, batch = StockItem.objects.get(), StockBatch.objects.get()
        for page in (
            address(product),
            url(Product, "change", product.pk),
            url(StockItem, "change", item.pk),
            url(StockItem, "changelist"),
            url(StockBatch, "change", batch.pk),
            url(AuditEntry, "changelist"),
        ):
            assert CONTENT not in body(owner, page)
        for entry in AuditEntry.objects.all():
            assert CONTENT not in f"{entry.before}{entry.after}{entry.target}"
        # What the database is sent is logged in tests only, and encrypted.
        assert CONTENT not in caplog.text

    def test_an_upload_is_kept_in_memory(self, settings: Any) -> None:
        assert settings.FILE_UPLOAD_MAX_MEMORY_SIZE > 20 * 1024 * 1024


def test_staff_without_the_permission_add_nothing(
    staff: Callable[..., Client], product: Product
) -> None:
    client = staff("catalog.view_product", "catalog.change_product")
    assert paste(client, product, "a").status_code == 403
    assert not StockItem.objects.exists()


def test_a_product_off_sale_takes_no_stock(owner: Client, product: Product, world: World) -> None:
    Product.objects.update(deleted_at=world.now)
    assert "Put it back on sale first" in said(paste(owner, product, "a"))
    assert not StockItem.objects.exists()


def test_a_new_product_with_stock_can_be_bought_at_once(owner: Client, world: World) -> None:
    form = {
        "number": "7",
        "name": "Kopi",
        "kind": "unique",
        "customer_price": "15.000",
        "low_stock_threshold": "3",
        "sold_shown": "0",
        "is_active": "on",
    }
    owner.post(url(Product, "add"), form)
    product = Product.objects.get(number=7)
    paste(owner, product, "the goods")
    order = world.paid(world.customer(balance=15_000), product)
    assert order.status == OrderStatus.PAID


class TestCounts:
    @pytest.fixture(autouse=True)
    def _cached(self, settings: Any) -> None:
        settings.COUNTS_CACHE_SECONDS = 60

    def test_an_upload_is_counted_at_once(
        self, owner: Client, product: Product, django_capture_on_commit_callbacks: Any
    ) -> None:
        assert stock_counts().get(product.pk, 0) == 0
        with django_capture_on_commit_callbacks(execute=True):
            paste(owner, product, "a\nb")
        assert stock_counts()[product.pk] == 2

    def test_a_withdrawal_is_counted_at_once(
        self, owner: Client, world: World, django_capture_on_commit_callbacks: Any
    ) -> None:
        product = world.product(stock=3)
        assert stock_counts()[product.pk] == 3
        batch = StockBatch.objects.get()
        with django_capture_on_commit_callbacks(execute=True):
            owner.post(reverse("admin:catalog_stockbatch_withdraw", args=[batch.pk]))
        assert stock_counts().get(product.pk, 0) == 0

    def test_an_upload_needs_no_redis(
        self,
        owner: Client,
        product: Product,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        def refuse(*_args: Any, **_options: Any) -> None:
            raise NoRedis

        monkeypatch.setattr(cache, "delete", refuse)
        with django_capture_on_commit_callbacks(execute=True):
            assert paste(owner, product, "a").status_code == 302
        assert product.stock.count() == 1


class TestWithdraw:
    def address(self, batch: StockBatch) -> str:
        return reverse("admin:catalog_stockbatch_withdraw", args=[batch.pk])

    def test_what_is_left_goes_what_is_reserved_or_sold_stays(
        self, owner: Client, world: World
    ) -> None:
        product = world.product(stock=5)
        world.paid(world.customer(balance=50_000), product)
        world.qris(world.customer(), product)
        batch = StockBatch.objects.get()
        assert "3 available items" in body(owner, self.address(batch))
        assert product.stock.available().count() == 3
        answer = owner.post(self.address(batch))
        assert "3 of batch" in said(answer)
        states = sorted(product.stock.values_list("state", flat=True))
        assert states == ["reserved", "sold", "withdrawn", "withdrawn", "withdrawn"]
        entry = AuditEntry.objects.get(action="withdraw_batch")
        assert (entry.actor, entry.source) == (actor(), "admin")
        assert entry.before == {"batch": batch.pk, "available": 3}

    def test_other_batches_stay(self, owner: Client, world: World) -> None:
        product = world.product(stock=2)
        world.fill(product, 2)
        owner.post(self.address(StockBatch.objects.earliest("pk")))
        assert product.stock.available().count() == 2

    def test_twice_changes_nothing_more(self, owner: Client, world: World) -> None:
        world.product(stock=2)
        batch = StockBatch.objects.get()
        owner.post(self.address(batch))
        owner.post(self.address(batch))
        assert AuditEntry.objects.filter(action="withdraw_batch").count() == 1

    def test_withdrawn_goods_can_be_uploaded_again(self, owner: Client, product: Product) -> None:
        paste(owner, product, "a")
        owner.post(self.address(StockBatch.objects.get()))
        paste(owner, product, "a")
        assert product.stock.filter(state=StockState.AVAILABLE).count() == 1

    def test_staff_without_the_permission(
        self, staff: Callable[..., Client], world: World
    ) -> None:
        product = world.product(stock=2)
        client = staff("catalog.view_stockbatch")
        assert client.post(self.address(StockBatch.objects.get())).status_code == 403
        assert product.stock.available().count() == 2
