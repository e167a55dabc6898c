"""The log of calls, ordered faults, limits, and starting over."""

from django.apps import apps
from django.db import connection, transaction

from sandbox import personas
from sandbox.api.http import Json, Refused, takes
from sandbox.changes import tell
from sandbox.telegram import calls
from sandbox.telegram.methods import METHODS
from sandbox.telegram.models import Bot, CallFault, CommandList, RecordedCall
from sandbox.telegram.params import Params
from sandbox.telegram.state import change_state, limits_on, read_state

LONGEST_DELAY_MS = 120_000
_FAULT_FIELDS = (
    "method",
    "chat_id",
    "error_code",
    "description",
    "retry_after",
    "times",
    "after_effect",
    "delay_ms",
)


def list_calls(params: Params) -> Json:
    """Calls after number `after`, also only those of a `method` or `chat_id`; newest `limit`."""
    wanted: dict[str, str | int] = {}
    if params.has("method"):
        wanted["method__iexact"] = params.text("method")
    if params.has("chat_id"):
        wanted["chat_id"] = params.integer("chat_id")
    after = params.integer("after")
    found = calls.read_after(after, limit=params.integer("limit"), **wanted)
    return {"calls": [_call_json(call) for call in found], "n": found[-1].n if found else after}


def _call_json(call: RecordedCall) -> Json:
    return {
        "n": call.n,
        "at": call.at,
        "method": call.method,
        "chat_id": call.chat_id,
        "ok": call.ok,
        "error_code": call.error_code,
    }


def list_faults(params: Params) -> Json:  # noqa: ARG001 - a handler
    return {"faults": [_fault_json(fault) for fault in CallFault.objects.order_by("id")]}


def _fault_json(fault: CallFault) -> Json:
    return {
        "id": fault.pk,
        "method": fault.method or None,
        "chat_id": fault.chat_id,
        "error_code": fault.error_code,
        "description": fault.description or None,
        "retry_after": fault.retry_after,
        "times": fault.times,
        "used": fault.used,
        "after_effect": fault.is_after_effect,
        "delay_ms": fault.delay_ms,
    }


@takes(*_FAULT_FIELDS)
def order_fault(params: Params) -> Json:
    """Without `method` or `chat_id` any call will do; without `error_code` it is only slow."""
    method = params.text("method")
    if method and method.lower() not in METHODS:
        raise Refused(f"no such method: {method}")
    fault = CallFault.objects.create(
        method=method,
        chat_id=params.integer("chat_id") or None,
        error_code=_error_code(params),
        description=params.text("description"),
        retry_after=params.integer("retry_after") or None,
        times=_in_range(params, "times", default=1, most=1_000_000),
        is_after_effect=params.flag("after_effect"),
        delay_ms=_in_range(params, "delay_ms", default=0, most=LONGEST_DELAY_MS),
    )
    return {"id": fault.pk}


def _error_code(params: Params) -> int | None:
    """0 cuts the connection without an answer."""
    if not params.has("error_code"):
        return None
    code = params.integer("error_code", -1)
    if code != 0 and not 400 <= code <= 599:
        raise Refused("error_code is 0 or 400 to 599")
    return code


def _in_range(params: Params, name: str, *, default: int, most: int) -> int:
    number = params.integer(name, default)
    if not 0 <= number <= most:
        raise Refused(f"{name} is 0 to {most}")
    return number


def clear_faults(params: Params) -> Json:  # noqa: ARG001 - a handler
    CallFault.objects.all().delete()
    return {}


def cancel_fault(params: Params, *, fault_id: int) -> Json:  # noqa: ARG001 - a handler
    if not CallFault.objects.filter(pk=fault_id).delete()[0]:
        raise Refused(f"unknown fault {fault_id}", status=404)
    return {}


def show_limits(params: Params) -> Json:  # noqa: ARG001 - a handler
    return {"on": limits_on(read_state().limits_on)}


@takes("on")
def switch_limits(params: Params) -> Json:
    change_state(limits_on=params.flag("on"))
    return show_limits(params)


@takes()
def reset(params: Params) -> Json:  # noqa: ARG001 - a handler
    """Forget everything but how the running bot set itself up: its webhook and commands.

    Both stand-ins start over. Ids are not used again, so nothing old is taken for something new.
    The people of the demo, where it was made, stay: the shop goes on writing to them.
    """
    has_demo = personas.are_known()
    kept = {Bot, CommandList}
    models = [m for m in apps.get_app_config("sandbox").get_models() if m not in kept]
    tables = [connection.ops.quote_name(model._meta.db_table) for model in models]
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            # No cascades to collect: foreign keys are checked at commit, when all is gone.
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from our own models
        change_state(limits_on=None, webhook_failed_at=None, webhook_failure="")
        if has_demo:
            personas.make_known()
        tell("reset")
    return {}
