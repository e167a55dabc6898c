"""Whether the gateway answers, as far as the latest payments tell."""

from payments.models import Payment, PaymentStatus


def gateway_is_down() -> bool:
    """Return whether the latest payment was refused an answer and is still being tried."""
    latest = Payment.objects.filter(attempts__gte=2).order_by("-pk").first()
    if latest is None or latest.status != PaymentStatus.CREATING:
        return False
    return not Payment.objects.filter(pk__gt=latest.pk, txn_id__isnull=False).exists()
