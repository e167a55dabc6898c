"""Photos of products: what Telegram would show is taken, anything else refused in a sentence."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from catalog.errors import PhotoRefused
from catalog.models import Product, ProductPhoto
from catalog.services.photos import check_photo
from tests.backoffice.pages import url, words
from tests.backoffice.pictures import jpeg, png, webp
from tests.backoffice.test_products import form_of
from tests.world import World

pytestmark = pytest.mark.django_db
PNG = png(800, 600)
JPEG = jpeg(800, 600)
WEBP = webp(800, 600)


@pytest.mark.parametrize(
    "image",
    [
        png(9_000, 1_000),
        png(2_000, 100),
        jpeg(100, 2_000),
        jpeg(9_000, 1_000, frame=0xC2),
        webp(9_000, 1_000),
        webp(9_000, 1_000, chunk=b"VP8L"),
        webp(100, 2_000, chunk=b"VP8X"),
    ],
)
def test_the_largest_and_longest_that_telegram_takes(image: bytes) -> None:
    assert check_photo(image).startswith("image/")


@pytest.mark.parametrize(
    "image",
    [
        png(9_000, 1_001),
        png(2_001, 100),
        jpeg(100, 2_001),
        jpeg(9_000, 1_001, frame=0xC2),
        webp(9_000, 1_001),
        webp(9_000, 1_001, chunk=b"VP8L"),
        webp(100, 2_001, chunk=b"VP8X"),
        *(whole[:cut] for whole in (PNG, JPEG, WEBP) for cut in range(3, 24)),
    ],
)
def test_one_pixel_more_and_what_is_cut_off_are_refused(image: bytes) -> None:
    with pytest.raises(PhotoRefused):
        check_photo(image)


class TestPhoto:
    def upload(self, owner: Client, product: Product, image: bytes, **fields: Any) -> Any:
        file = SimpleUploadedFile("photo.png", image) if image else ""
        data = form_of(product, photo=file, **fields)
        return owner.post(url(Product, "change", product.pk), data)

    @pytest.mark.parametrize(
        ("image", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
    )
    def test_what_it_is_counts_not_its_name(
        self, owner: Client, world: World, image: bytes, kind: str
    ) -> None:
        product = world.product(stock=0)
        assert self.upload(owner, product, image).status_code == 302
        photo = ProductPhoto.objects.get()
        assert (bytes(photo.image), photo.content_type) == (image, kind)
        answer = owner.get(reverse("admin:catalog_product_photo", args=[product.pk]))
        assert (answer.content, answer["Content-Type"]) == (image, kind)
        entry = AuditEntry.objects.get(action="change_photo")
        assert (entry.before, entry.after) == (None, {"type": kind, "bytes": len(image)})

    def test_a_new_photo_forgets_telegrams_copy_of_the_old(
        self, owner: Client, world: World
    ) -> None:
        product = world.product(stock=0)
        ProductPhoto.objects.create(product=product, image=PNG, telegram_file_id="known")
        self.upload(owner, product, JPEG)
        assert ProductPhoto.objects.get().telegram_file_id == ""

    def test_removal(self, owner: Client, world: World) -> None:
        product = world.product(stock=0)
        ProductPhoto.objects.create(product=product, image=PNG)
        self.upload(owner, product, b"", **{"photo-clear": "on"})
        assert not ProductPhoto.objects.exists()
        assert AuditEntry.objects.get(action="change_photo").after is None

    @pytest.mark.parametrize(
        ("image", "sentence"),
        [
            (b"<svg onload=alert(1)>", "not a PNG, JPEG or WebP picture"),
            (PNG + b"0" * 5 * 1024 * 1024, "larger than 5 MB"),
            (PNG[:18], "the file is damaged"),
            (png(0, 5), "the file is damaged"),
            (png(9_000, 1_001), "up to 10,000 pixels, width and height together"),
            (jpeg(2_100, 100), "more than 20 times as long as it is wide"),
            (webp(100, 2_100), "this one is 100 × 2100 pixels"),
        ],
    )
    def test_anything_else_is_refused_and_changes_nothing(
        self, owner: Client, world: World, image: bytes, sentence: str
    ) -> None:
        product = world.product(stock=0)
        answer = self.upload(owner, product, image, name="Another name")
        assert sentence in words(answer)
        assert not ProductPhoto.objects.exists()
        product.refresh_from_db()
        assert product.name != "Another name"

    def test_it_is_for_staff_who_may_see_products(
        self, staff: Callable[..., Client], world: World
    ) -> None:
        product = world.product(stock=0)
        ProductPhoto.objects.create(product=product, image=PNG)
        address = reverse("admin:catalog_product_photo", args=[product.pk])
        assert staff().get(address).status_code == 404
        assert Client().get(address).status_code == 302

    def test_a_browser_that_has_it_is_not_sent_it_again(self, owner: Client, world: World) -> None:
        product = world.product(stock=0)
        ProductPhoto.objects.create(product=product, image=PNG)
        address = reverse("admin:catalog_product_photo", args=[product.pk])
        etag = owner.get(address)["ETag"]
        again = owner.get(address, headers={"if-none-match": etag})
        assert (again.status_code, again.content) == (304, b"")
        ProductPhoto.objects.update(image=JPEG)
        assert owner.get(address, headers={"if-none-match": etag}).content == JPEG
