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


class HandOverForm(CloseCaseForm):
    """For a case about goods that its customer does not have."""

    handed_over = forms.BooleanField(
        label="I handed the goods over in another way",
        help_text="The order counts as delivered then.",
        error_messages={
            "required": "As long as the customer has neither the goods nor the money back,"
            " the case stays open. Send the message again in the outbox, or refund the order."
        },
    )
