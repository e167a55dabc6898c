"""The buttons of a customer's page that change the balance."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.models import Customer
from accounts.services.staff_balance import correct_balance, transfer_to_balance
from backoffice.admin.base import button
from backoffice.display import money
from backoffice.form_pages import FormPage, ask_with_form
from backoffice.forms.money import AddToBalanceForm, CorrectBalanceForm
from backoffice.staff import signed

if TYPE_CHECKING:
    from backoffice.admin.base import ShopAdmin

    Base = ShopAdmin[Customer]
else:
    Base = object


class BalanceButtons(Base):
    """Who may add balance movements has them."""

    actions_detail = ("add_to_balance", "set_balance")

    def has_balance_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.add_ledgerentry")

    @button(
        description="Add to balance",
        url_path="add-to-balance",
        icon="add_card",
        permissions=["balance"],
    )
    def add_to_balance(self, request: HttpRequest, object_id: int) -> HttpResponse:
        customer = get_object_or_404(Customer, pk=object_id)

        def do(form: AddToBalanceForm) -> str:
            entry = transfer_to_balance(
                customer_id=customer.pk,
                amount=form.cleaned_data["amount"],
                key=form.cleaned_data["key"],
                **signed(request),
            )
            after = money(entry.balance_after)
            return f"{money(entry.amount)} added: the balance is {after}. {customer.name} is told."

        page = FormPage(
            title=f"Add to the balance of {customer.name}",
            sentences=_what_is(customer),
            button="Add to balance",
            do=do,
            back=_address(customer),
        )
        return ask_with_form(self, request, customer, AddToBalanceForm(request.POST or None), page)

    @button(
        description="Correct balance",
        url_path="correct-balance",
        icon="balance",
        permissions=["balance"],
    )
    def set_balance(self, request: HttpRequest, object_id: int) -> HttpResponse:
        customer = get_object_or_404(Customer, pk=object_id)

        def do(form: CorrectBalanceForm) -> str:
            entry = correct_balance(
                customer_id=customer.pk,
                balance=form.cleaned_data["balance"],
                seen=form.cleaned_data["seen"],
                key=form.cleaned_data["key"],
                **signed(request),
            )
            if entry is None:
                return "The balance is that already: nothing was changed."
            return f"The balance is {money(entry.balance_after)} now. {customer.name} is told."

        page = FormPage(
            title=f"Correct the balance of {customer.name}",
            sentences=_what_is(customer),
            button="Correct balance",
            do=do,
            back=_address(customer),
        )
        form = CorrectBalanceForm(
            request.POST or None, initial={"seen": int(customer.account_balance)}
        )
        return ask_with_form(self, request, customer, form, page)


def _what_is(customer: Customer) -> list[str]:
    return [f"The balance is {money(customer.account_balance)}."]


def _address(customer: Customer) -> str:
    return reverse("admin:accounts_customer_change", args=[customer.pk])
