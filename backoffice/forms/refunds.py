"""What staff choose for a refund, and the refund formula as they write it."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from backoffice.forms.fields import UnfoldAdminTextareaWidget
from backoffice.refund_words import formula_sentence
from orders.models import RefundKind
from orders.refund_terms import FormulaRefused, RefundTerms
from orders.services.refund_quotes import RefundRequest
from orders.services.refunds import MOST_NOTE

if TYPE_CHECKING:
    from django.forms import TextInput
else:
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

MOST_COUNT = 2**31 - 1


class RefundForm(forms.Form):
    """The hidden fields say which quote was shown: it is compared, never trusted."""

    item = forms.IntegerField(min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    first = forms.IntegerField(min_value=0, max_value=MOST_COUNT, widget=forms.HiddenInput)
    units = forms.IntegerField(min_value=1, max_value=MOST_COUNT, widget=forms.HiddenInput)
    amount = forms.DecimalField(
        min_value=1, max_digits=15, decimal_places=2, widget=forms.HiddenInput
    )
    kind = forms.ChoiceField(
        choices=RefundKind.choices, initial=RefundKind.BALANCE, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=MOST_NOTE,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text=(
            "How it was paid, if outside the shop: needed then. It is kept with the refund."
            " Please write no goods."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_outside = cleaned.get("kind") == RefundKind.OUTSIDE
        if is_outside and not cleaned.get("note") and "note" not in self.errors:
            self.add_error("note", "Write in a few words how it was paid.")
        return cleaned

    @property
    def request(self) -> RefundRequest:
        given = self.cleaned_data
        return RefundRequest(given["item"], given["first"], given["units"], given["amount"])


class FormulaForm(forms.Form):
    formula = forms.CharField(
        label="Formula",
        max_length=600,
        widget=TextInput({"spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": "Write the formula."},
    )
    terms: RefundTerms

    def clean_formula(self) -> str:
        try:
            self.terms = RefundTerms.parse(self.cleaned_data["formula"])
        except FormulaRefused as refusal:
            raise ValidationError(formula_sentence(refusal)) from None
        return str(self.terms)
