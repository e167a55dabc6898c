"""What staff fill in to change a balance or to say that an order is paid."""

import secrets

from django import forms

from backoffice.forms.fields import RupiahField, UnfoldAdminTextareaWidget
from payments.services.manual import MOST_REASON


def new_key() -> str:
    return secrets.token_hex(16)


class KeyedForm(forms.Form):
    """Each page has a key of its own, so that a form sent twice counts once."""

    key = forms.CharField(max_length=64, widget=forms.HiddenInput, initial=new_key)


class AddToBalanceForm(KeyedForm):
    amount = RupiahField(
        label="Amount to add",
        error_messages={"required": "Write the amount to add, such as 50.000."},
    )


class CorrectBalanceForm(KeyedForm):
    seen = forms.DecimalField(widget=forms.HiddenInput)
    balance = RupiahField(
        label="The balance shall be",
        help_text="One correcting movement brings it there; nothing that happened is changed.",
        error_messages={"required": "Write the balance it shall be, such as 150.000, or 0."},
    )


class MarkPaidForm(forms.Form):
    reason = forms.CharField(
        label="How was it paid, and how do you know?",
        max_length=MOST_REASON,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="It is kept with the payment.",
        error_messages={"required": "Write in a few words how it was paid."},
    )
    without_answer = forms.BooleanField(
        required=False,
        label="Also when the gateway does not answer",
        help_text="If it was paid there all the same, that becomes a case for you.",
    )
