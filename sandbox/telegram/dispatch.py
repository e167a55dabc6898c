"""One call of a method: limits, ordered faults, the effect and its record."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from sandbox.telegram import calls, faults
from sandbox.telegram.chats import chat_id_of
from sandbox.telegram.errors import ApiError
from sandbox.telegram.limits import check_limits
from sandbox.telegram.methods import METHODS, Method
from sandbox.telegram.models import Bot, CallFault
from sandbox.telegram.params import Params, clean
from sandbox.telegram.state import limits_on


@dataclass(frozen=True)
class _Controls:
    are_limits_on: bool
    is_fault_waiting: bool


_CONTROLS = """
    SELECT (SELECT limits_on FROM sandbox_bot WHERE id = %s),
           EXISTS (SELECT 1 FROM sandbox_callfault WHERE used < times)
"""


def call(name: str, params: Params) -> Any:
    """The method's result; ApiError when it refuses. Either way the call is on record."""
    method = METHODS.get(name.lower())
    chat_id = chat_id_of(params)
    if method is None:
        calls.record(clean(name)[:64], chat_id, 404, is_send=False)
        raise ApiError(404, "Not Found: method not found")
    controls = _read_controls()
    fault = faults.claim(method.name, chat_id) if controls.is_fault_waiting else None
    try:
        if fault is None:
            return _perform(method, params, controls)
        return _perform_badly(method, params, controls, fault)
    except ApiError as error:
        calls.record(method.name, chat_id, error.code, is_send=method.is_send)
        raise


def call_from_webhook(values: dict[str, Any]) -> None:
    """The answer to a webhook holds a call; the bot never learns how it went."""
    try:
        call(values["method"], Params(clean(values)))
    except ApiError:
        return


def _read_controls() -> _Controls:
    with connection.cursor() as cursor:
        cursor.execute(_CONTROLS, [Bot.ROW])
        switch, is_fault_waiting = cursor.fetchone()
    return _Controls(limits_on(switch), is_fault_waiting)


def _perform(
    method: Method, params: Params, controls: _Controls, *, is_recorded: bool = True
) -> Any:
    """Effect and record are committed together: a crash never leaves one without the other."""
    chat_id = chat_id_of(params)
    if method.waits:
        result = method.handler(params)
        calls.record(method.name, chat_id, None, is_send=False)
        return result
    with transaction.atomic():
        if controls.are_limits_on and method.is_send:
            check_limits(chat_id)
        result = method.handler(params)
        if is_recorded:
            calls.record(method.name, chat_id, None, is_send=method.is_send)
    return result


def _perform_badly(method: Method, params: Params, controls: _Controls, fault: CallFault) -> Any:
    if not fault.is_after_effect:
        faults.strike(fault)
        return _perform(method, params, controls)
    fails = fault.error_code is not None
    result = _perform(method, params, controls, is_recorded=not fails)
    faults.strike(fault)
    return result
