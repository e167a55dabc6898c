"""How long what is under way may take before it counts as stuck."""

from datetime import timedelta

MINUTES = timedelta(minutes=5)
"""For a paid order to be delivered, and for a completion to take its effect."""
SWEEP = timedelta(minutes=1)
"""For the sweep to find what is over."""
