"""A stand-in for the payment gateway Pakasir, API v2, as strict as the original is known to be."""
