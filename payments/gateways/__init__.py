"""The gateway the shop is set up with. Only this package speaks HTTP to a gateway."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from payments.gateways.base import Gateway
from payments.gateways.pakasir import PakasirGateway
from payments.gateways.turns import take_turn


def _network() -> httpx.BaseTransport | None:
    return None


# Replaced by tests, which answer every call in process instead of over a socket.
transport_factory: Callable[[], httpx.BaseTransport | None] = _network

_in_use: ContextVar[Gateway | None] = ContextVar("gateway in use", default=None)


@contextmanager
def use_gateway(gateway: Gateway) -> Iterator[None]:
    """Make `gateway` the shop's own for the block, in this thread only."""
    token = _in_use.set(gateway)
    try:
        yield
    finally:
        _in_use.reset(token)


def get_gateway(name: str | None = None) -> Gateway:
    in_use = _in_use.get()
    if in_use is not None and name in {None, in_use.name}:
        return in_use
    name = settings.PAYMENT_GATEWAY if name is None else name
    try:
        build = _GATEWAYS[name]
    except KeyError:
        known = ", ".join(sorted(_GATEWAYS))
        raise ImproperlyConfigured(
            f"PAYMENT_GATEWAY is {name!r}; known gateways: {known}."
        ) from None
    return build()


def _pakasir() -> Gateway:
    return PakasirGateway(
        base_url=settings.PAKASIR_BASE_URL,
        checkout_base_url=settings.PAKASIR_CHECKOUT_URL,
        project=settings.PAKASIR_PROJECT,
        api_key=settings.PAKASIR_API_KEY,
        webhook_secret=settings.PAKASIR_WEBHOOK_SECRET,
        transport=transport_factory(),
        take_turn=take_turn,
    )


_GATEWAYS: dict[str, Callable[[], Gateway]] = {"pakasir": _pakasir}
