"""Money and pictures in forms."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Field

from core.money import parse_rupiah, rupiah

if TYPE_CHECKING:
    from django.forms import ClearableFileInput as UnfoldAdminImageFieldWidget
    from django.forms import Textarea as UnfoldAdminTextareaWidget
    from django.forms import TextInput as UnfoldAdminTextInputWidget
else:
    from unfold.widgets import (
        UnfoldAdminImageFieldWidget,
        UnfoldAdminTextareaWidget,
        UnfoldAdminTextInputWidget,
    )

__all__ = ["PhotoInput", "RupiahField", "StoredPhoto", "UnfoldAdminTextareaWidget"]


class RupiahField(forms.CharField):
    """Whole rupiah as people write them: `50000`, `50.000` or `Rp50.000`.

    Not a number field: a browser takes the `50.000` of Indonesia for fifty.
    """

    def __init__(self, **options: Any) -> None:
        attrs = {
            "inputmode": "decimal",
            "placeholder": "50.000",
            "prefix": "Rp",
            "class": "qc-rupiah",
        }
        super().__init__(widget=UnfoldAdminTextInputWidget(attrs), **options)

    @classmethod
    def for_column(
        cls, column: "Field[Any, Any]", *, label: str = "", help_text: str = "", **_others: Any
    ) -> "RupiahField":
        return cls(
            required=not column.blank,
            label=label or str(column.verbose_name).capitalize(),
            help_text=help_text or column.help_text,
            initial=column.get_default() if column.has_default() else None,
        )

    def to_python(self, value: Any) -> Any:
        text = str(super().to_python(value) or "").strip()
        if not text:
            return None
        try:
            return parse_rupiah(text)
        except ValueError:
            raise ValidationError("Write whole rupiah, such as 50.000 or 50000.") from None

    def prepare_value(self, value: Any) -> Any:
        return rupiah(value).removeprefix("Rp") if isinstance(value, Decimal) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class StoredPhoto:
    """A picture that the product has, as the widget wants it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __str__(self) -> str:
        return "the photo customers see now"


class PhotoInput(UnfoldAdminImageFieldWidget):
    template_name = "backoffice/widgets/photo.html"
