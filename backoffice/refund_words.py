"""How a refund came about and what a formula gives back, in words and rows."""

from collections.abc import Sequence
from decimal import Decimal

from backoffice.display import moment, money
from backoffice.panels import Panel
from orders.refund_terms import (
    EXAMPLE,
    MOST_DAYS,
    MOST_STEPS,
    PLACES,
    FormulaProblem,
    FormulaRefused,
    RefundTerms,
)
from orders.services.refund_quotes import RefundQuote

SAMPLE = Decimal(100_000)


def quote_rows(quote: RefundQuote) -> list[tuple[str, str]]:
    """Return the steps from what was paid to what is given back."""
    goods = f"{quote.units} × {quote.order_item.product_name}"
    rows = [(goods, money(quote.list_price))]
    if quote.voucher_share:
        rows.append(("Share of the voucher", f"- {money(quote.voucher_share)}"))
        rows.append(("Paid for it, without the fee", money(quote.price)))
    if not quote.is_delivered:
        return [
            *rows,
            ("Never delivered, and it will not be any more", "all of it"),
            ("Refund", money(quote.amount)),
        ]
    delivered = moment(quote.order.delivered_at)
    rows.append(
        (
            f"{days(quote.days_used)} since delivery on {delivered}",
            f"× {quote.days_left}/{quote.terms.period_days}",
        )
    )
    rows.append((_reason(quote), f"× {plain(quote.multiplier)}"))
    return [*rows, ("Refund", money(quote.amount))]


def _reason(quote: RefundQuote) -> str:
    if quote.claims == 1:
        return "1 replacement on this order"
    if quote.claims:
        return f"{quote.claims} replacements on this order"
    return f"No replacement, {days(quote.days_used)} used"


def days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def plain(multiplier: Decimal) -> str:
    return f"{multiplier.normalize():f}"


def preview(terms: RefundTerms) -> Panel:
    """Return what the formula gives back of Rp100.000, by days and replacements."""
    return Panel(
        title=f"Of {money(SAMPLE)} it gives back",
        headers=("After", *(_claims(claims) for claims in _shown_claims(terms))),
        rows=[
            (
                days(used),
                *(
                    money(terms.amount(price=SAMPLE, days_used=used, claims=claims))
                    for claims in _shown_claims(terms)
                ),
            )
            for used in _shown_days(terms)
        ],
    )


def _shown_claims(terms: RefundTerms) -> Sequence[int]:
    return [0, *(number for number, _multiplier in terms.claim_steps[:4])]


def _claims(count: int) -> str:
    if count == 0:
        return "No replacement"
    return "1 replacement" if count == 1 else f"{count} replacements"


def _shown_days(terms: RefundTerms) -> list[int]:
    """Return the days at which something changes, the day before each, and the ends."""
    steps = {number for number, _multiplier in terms.day_steps[:6]}
    period = terms.period_days
    shown = {0, period // 2, period - 1, period} | steps | {number - 1 for number in steps}
    return sorted(number for number in shown if 0 <= number <= period)


def formula_sentence(refusal: FormulaRefused) -> str:
    """Say what is wrong with a formula, at which piece, with an example."""
    part = f"“{refusal.part}”" if refusal.part else "an empty piece"
    said = {
        FormulaProblem.PARTS: (
            "A formula has three parts between two “|”: days, steps by day, steps by replacements."
        ),
        FormulaProblem.PERIOD: (
            f"The period is a whole number of days from 1 to {MOST_DAYS:,}, not {part}."
        ),
        FormulaProblem.STEP: f"A step is a number, a colon and a multiplier, not {part}.",
        FormulaProblem.FRACTION: (
            f"A multiplier is 0 to 1 with at most {PLACES} digits, such as 0.8, not {part}."
        ),
        FormulaProblem.FIRST_DAY: f"The steps by day begin with 0:, not {part}.",
        FormulaProblem.FIRST_CLAIM: f"The steps by replacements begin with 1:, not {part}.",
        FormulaProblem.ORDER: f"Steps go upwards, each number once: {part} does not.",
        FormulaProblem.TOO_MANY: f"At most {MOST_STEPS} steps, not {refusal.part}.",
    }[refusal.problem]
    return f"{said} An example: {EXAMPLE}"
