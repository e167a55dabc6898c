"""What the gateway adds to a payment, in whole rupiah."""

MINIMUM, MAXIMUM = 500, 10_000_000


def qris_fee(amount: int) -> int:
    """0.7 % + Rp310 up to Rp105.000, 1 % above, each rounded up to the rupiah."""
    if amount <= 105_000:
        return -(-amount * 7 // 1000) + 310
    return -(-amount // 100)


def all_fees(amount: int) -> dict[str, int]:
    banks = ("bri_va", "bni_va", "cimb_niaga_va", "permata_va", "maybank_va")
    return {"qris": qris_fee(amount)} | dict.fromkeys(banks, 3500)
