"""Forms of rows: what a constraint of the database refuses is said at the field it is about."""

import re
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from django.urls import reverse

from backoffice.forms.fields import PhotoInput, StoredPhoto, UnfoldAdminTextareaWidget
from backoffice.refusals import sentence
from backoffice.services import EDITABLE as SETTINGS_EDITABLE
from catalog.errors import KindFixed, NumberTaken, PhotoRefused
from catalog.models import Category, Product, ProductPhoto
from catalog.services.photos import check_photo
from catalog.services.products import EDITABLE
from core.models import StoreSettings
from orders.models import Voucher
from orders.services.voucher_editing import EDITABLE as VOUCHER_EDITABLE
from orders.services.voucher_editing import check_voucher_terms

RowT = TypeVar("RowT", bound=Model)
ONE_DISCOUNT = ("discount_amount", "Give either a percentage or an amount, not both.")
SENTENCES = {
    "category_one_discount": ONE_DISCOUNT,
    "product_one_discount": ONE_DISCOUNT,
    "product_quota_not_for_unique": (
        "quota",
        "Unique goods need no quota: their stock says how many there are. Leave this empty.",
    ),
    "voucher_amount_or_percent": ("amount", "Give either an amount or a percentage, not both."),
    "voucher_percent_range": ("percent", "A percentage is more than 0 and at most 100."),
    "voucher_code_characters": ("code", "Use letters, digits, - and _ only."),
}
"""Field and sentence by the name of the constraint."""
REFUSED_FIELDS: dict[type[Exception], str] = {
    NumberTaken: "number",
    KindFixed: "kind",
    PhotoRefused: "photo",
}
"""The field that a refusal of a service is about."""
VIOLATED = re.compile(r"Constraint “(\w+)” is violated\.")


if TYPE_CHECKING:

    class _ModelForm(forms.ModelForm[RowT]):
        pass
else:

    class _ModelForm(forms.ModelForm):
        """Takes the type argument that Django's class lacks at run time."""

        def __class_getitem__(cls, _model: Any) -> type:
            return cls


class RowForm(_ModelForm[RowT]):
    def _update_errors(self, errors: ValidationError) -> None:
        """Django's hook for what the model refused: say constraints in words of our own."""
        by_field = errors.update_error_dict({})
        kept = []
        for refusal in by_field.pop(NON_FIELD_ERRORS, []):
            found = VIOLATED.fullmatch(str(refusal.message))
            if found is None or found[1] not in SENTENCES:
                kept.append(refusal)
            else:
                self._say(*SENTENCES[found[1]])
        rest = by_field | ({NON_FIELD_ERRORS: kept} if kept else {})
        super()._update_errors(ValidationError(rest))  # type: ignore[misc]

    def _say(self, field: str, text: str) -> None:
        if field not in self.errors:
            self.add_error(field, text)


def refused(
    form: "type[forms.ModelForm[RowT]]", refusal: Exception
) -> "type[forms.ModelForm[RowT]]":
    """Return the form as it is after a service refused: it says so where it has no other error."""

    class RefusedForm(form):  # type: ignore[misc, valid-type]
        def full_clean(self) -> None:
            super().full_clean()
            if self.is_bound and not self.errors:
                field = REFUSED_FIELDS.get(type(refusal))
                self.add_error(field if field in self.fields else None, sentence(refusal))

    return RefusedForm


class CategoryForm(RowForm[Category]):
    class Meta:
        model = Category
        fields = ("name", "discount_percent", "discount_amount")
        labels: ClassVar = {
            "discount_percent": "Discount in percent",
            "discount_amount": "Discount in rupiah",
        }


class ProductForm(RowForm[Product]):
    photo = forms.FileField(
        required=False,
        widget=PhotoInput({"accept": "image/png,image/jpeg,image/webp"}),
        help_text="PNG, JPEG or WebP, up to 5 MB, at most 20 times as long as wide."
        " Customers see it above the product.",
    )
    new_photo: bytes | None = None

    class Meta:
        model = Product
        fields = tuple(sorted(EDITABLE))
        labels: ClassVar = {
            "customer_price": "Price",
            "discount_percent": "Discount in percent",
            "discount_amount": "Discount in rupiah",
            "low_stock_threshold": "Low-stock alert at",
            "per_order_limit": "Most per order",
            "is_active": "Shown in the chat",
            "sold_shown": "Add to the sold count",
        }
        help_texts: ClassVar = {
            "number": "What customers type to open the product.",
            "reseller_price": "Leave empty if resellers pay what everybody pays.",
            "low_stock_threshold": "Staff are told when no more than this many are left.",
            "per_order_limit": "Leave empty for the store's own limit.",
            "quota": "Shared and file goods only: how many may be sold in all. Empty: no limit.",
            "is_active": "Switch it off to hide the product for a while.",
            "sold_shown": "Customers see what was really sold plus this.",
        }
        widgets: ClassVar = {"description": UnfoldAdminTextareaWidget({"rows": 6})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if ProductPhoto.objects.filter(product=self.instance.pk).exists():
            address = reverse("admin:catalog_product_photo", args=[self.instance.pk])
            self.initial["photo"] = StoredPhoto(address)

    def clean_description(self) -> str:
        """A browser sends line ends of its own; to save them would be a change nobody made."""
        return str(self.cleaned_data["description"]).replace("\r\n", "\n")

    def clean_number(self) -> int:
        """The constraint knows products on sale only, so Django leaves it to the database."""
        number: int = self.cleaned_data["number"]
        others = Product.objects.existing().filter(number=number).exclude(pk=self.instance.pk)
        holder = others.first()
        if holder is not None and self.instance.deleted_at is None:
            refusal = NumberTaken(number=number, product_name=holder.name)
            raise ValidationError(sentence(refusal))
        return number

    def clean_photo(self) -> Any:
        photo = self.cleaned_data["photo"]
        if not hasattr(photo, "read"):
            return photo
        photo.seek(0)
        image = photo.read()
        try:
            check_photo(image)
        except PhotoRefused as refusal:
            raise ValidationError(sentence(refusal)) from None
        self.new_photo = image
        return photo

    @property
    def removes_photo(self) -> bool:
        return self.cleaned_data.get("photo") is False


class VoucherForm(RowForm[Voucher]):
    class Meta:
        model = Voucher
        fields = VOUCHER_EDITABLE
        labels: ClassVar = {
            "amount": "Takes off, in rupiah",
            "percent": "Takes off, in percent",
            "most_discount": "At most, in rupiah",
            "least_subtotal": "From a subtotal of",
            "total_uses": "Uses in all",
            "is_active": "Can be used",
        }
        help_texts: ClassVar = {
            "code": "What customers type: letters, digits, - and _. Stored in capitals.",
            "most_discount": "Percentage vouchers only. Empty: no limit.",
            "uses_per_customer": "Empty: no limit.",
        }

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            names = ("amount", "percent", "valid_from", "valid_until")
            check_voucher_terms(Voucher(**{name: cleaned.get(name) for name in names}))
        return cleaned


class StoreSettingsForm(RowForm[StoreSettings]):
    class Meta:
        model = StoreSettings
        fields = SETTINGS_EDITABLE
        labels: ClassVar = {
            "payment_minutes": "Minutes to pay",
            "expiry_grace_seconds": "Grace in seconds",
            "gateway_silence_minutes": "Minutes a silent gateway is waited for",
            "deliver_late_payments": "Deliver when money comes late",
            "max_open_orders": "Open orders per customer",
            "max_units_per_order": "Units per order",
            "voucher_pause_minutes": "Minutes between two vouchers",
            "expiries_before_pause": "Expired orders before a pause",
            "expiry_pause_minutes": "Minutes of that pause",
            "deposit_presets": "Amounts to choose from",
            "deposit_least": "Smallest deposit",
            "deposit_most": "Largest deposit",
            "keep_messages_days": "Days to keep messages",
            "keep_events_days": "Days to keep gateway events",
            "keep_updates_days": "Days to remember Telegram updates",
            "keep_audit_days": "Days to keep the audit trail here",
        }
        help_texts: ClassVar = {
            "payment_minutes": "How long a QR code can be paid. Orders placed before keep theirs.",
            "expiry_grace_seconds": "An unpaid order waits so much longer before it expires.",
            "gateway_silence_minutes": "Then the goods of an expired order are free again.",
            "deliver_late_payments": "If the goods are still there. Off: credited to the balance.",
            "max_open_orders": "Unpaid ones, at the same time.",
            "max_units_per_order": "A product may have a limit of its own.",
            "voucher_pause_minutes": "For one customer.",
            "expiries_before_pause": "Of one customer within an hour. 0: nobody is paused.",
            "expiry_pause_minutes": "Counted from the last of them; no new QR code until then.",
            "deposit_presets": "Rupiah, separated by commas: 10000, 50000. Twelve at most.",
            "deposit_least": "QRIS takes Rp500 and more.",
            "deposit_most": "QRIS takes Rp10.000.000 at once.",
            "keep_messages_days": "Messages that were sent or dropped.",
            "keep_events_days": "What the gateway's webhook told, once handled.",
            "keep_updates_days": "So that none is handled twice.",
            "keep_audit_days": "The audit database keeps all of it for ever.",
        }
