"""What an upload of stock needs, by kind of goods. No form ever shows again what was typed."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from backoffice.uploads import MOST_ITEMS, MOST_TEXT, Contents, Split, Unreadable, decode, split
from catalog.models import MOST_CONTENT, MOST_FILE

if TYPE_CHECKING:
    from django.forms import FileInput, RadioSelect, Textarea
else:
    from django.forms import FileInput, RadioSelect
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea


class SecretTextarea(Textarea):
    """Never renders its value: goods do not come back in a page."""

    def format_value(self, value: Any) -> str:  # noqa: ARG002 (the signature is Django's)
        return ""


class UniqueStockForm(forms.Form):
    """Goods pasted or in a text file, one per line or per block."""

    how = forms.ChoiceField(
        label="One item is",
        choices=[(Split.LINES, "one line"), (Split.BLOCKS, "a block, ended by an empty line")],
        initial=Split.LINES,
        widget=RadioSelect,
    )
    text = forms.CharField(
        label="Paste your stock",
        required=False,
        strip=False,
        widget=SecretTextarea({"rows": 10, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label="Or upload a text file",
        required=False,
        widget=FileInput({"accept": ".txt,.csv,text/plain"}),
    )
    contents: Contents

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        text, file = cleaned.pop("text", ""), cleaned.pop("file", None)
        if bool(text.strip()) == bool(file):
            raise ValidationError(
                "Give either pasted text or a file, not both."
                if file
                else "Paste your stock, or choose a text file."
            )
        self.contents = split(_read(file) if file else text, Split(cleaned["how"]))
        if not self.contents.texts:
            raise ValidationError("There is nothing in it: every line is empty.")
        if len(self.contents.texts) > MOST_ITEMS:
            raise ValidationError(f"That is more than {MOST_ITEMS:,} items. Split it, please.")
        return cleaned


class SharedStockForm(forms.Form):
    text = forms.CharField(
        label="What every buyer receives",
        max_length=MOST_CONTENT,
        widget=SecretTextarea({"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": "Write what every buyer receives."},
    )


class FileStockForm(forms.Form):
    file = forms.FileField(
        label="The document every buyer receives",
        help_text="Up to 20 MB.",
        widget=FileInput,
        error_messages={
            "required": "Choose the document every buyer receives.",
            "empty": "This file is empty. Choose another one.",
        },
    )

    def clean_file(self) -> "UploadedFile[Any]":
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > MOST_FILE:
            raise ValidationError("This file is larger than 20 MB, the most Telegram delivers.")
        return file


def _read(file: "UploadedFile[Any]") -> str:
    if (file.size or 0) > MOST_TEXT:
        raise ValidationError("This file is larger than 20 MB. Split it, please.")
    try:
        return decode(file.read())
    except Unreadable as refusal:
        raise ValidationError(str(refusal)) from None
