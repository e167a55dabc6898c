"""What staff write when they have dealt with a case."""

from django import forms

from backoffice.forms.fields import UnfoldAdminTextareaWidget
from payments.services.cases import MOST_NOTE


class CloseCaseForm(forms.Form):
    note = forms.CharField(
        label="What did you do?",
        max_length=MOST_NOTE,
        widget=UnfoldAdminTextareaWidget({"rows": 4}),
        help_text="It is kept with the case and in the audit trail. Please write no goods.",
        error_messages={"required": "Write in a few words what you did."},
    )
