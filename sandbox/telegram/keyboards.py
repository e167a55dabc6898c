"""`reply_markup`, checked as the original checks it."""

import re
from collections.abc import Callable
from typing import Any

from sandbox.telegram.errors import ApiError, bad_request
from sandbox.telegram.params import Params

Markup = dict[str, Any]

INLINE_BUTTON_LIMIT = 100
# Unlike the original, an address of this very machine will do: the whole shop may run on it.
_LINK = re.compile(
    r"tg://\S+|(?:https?://)?(?:[^\s/?#:@]+\.[^\s/?#:@]+|localhost)(?::\d{1,5})?(?:[/?#]\S*)?",
    re.IGNORECASE,
)
_STYLES = frozenset({"danger", "success", "primary"})
_KINDS = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")
_BUTTON_REQUESTS = (
    "request_users",
    "request_chat",
    "request_contact",
    "request_location",
    "request_poll",
    "web_app",
)


def any_markup(params: Params) -> Markup | None:
    markup = _object(params)
    if markup is None:
        return None
    kind = next((name for name in _KINDS if name in markup), None)
    if kind == "inline_keyboard":
        return _inline(markup)
    if kind == "keyboard":
        return _reply(markup)
    if kind is not None and markup[kind] is not True:
        raise bad_request(f'field "{kind}" must be True')
    return markup if kind else None


def inline_markup(params: Params) -> Markup | None:
    """What an edit may carry."""
    markup = _object(params)
    if not markup:
        return None
    if "inline_keyboard" not in markup:
        raise bad_request("inline keyboard expected")
    return _inline(markup)


def is_inline(markup: Markup | None) -> bool:
    return markup is not None and "inline_keyboard" in markup


def check_inline_markup(markup: Any) -> None:
    """For a keyboard inside something else, such as an inline result."""
    if not isinstance(markup, dict) or "inline_keyboard" not in markup:
        raise bad_request("inline keyboard expected")
    _inline(markup)


def _object(params: Params) -> Markup | None:
    markup = params.parsed("reply_markup", what="reply keyboard markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    return markup


def _rows(markup: Markup, name: str) -> list[list[Any]]:
    rows = markup[name]
    if not isinstance(rows, list):
        raise bad_request(f'field "{name}" of the reply markup must be of type Array')
    if not all(isinstance(row, list) for row in rows):
        raise bad_request("expected an Array of Arrays of buttons")
    return rows


def _inline(markup: Markup) -> Markup | None:
    """Empty rows vanish; a keyboard without buttons is no keyboard."""
    rows = [row for row in _rows(markup, "inline_keyboard") if row]
    for row in rows:
        for button in row:
            _check_inline_button(button)
    if sum(len(row) for row in rows) > INLINE_BUTTON_LIMIT:
        raise bad_request("reply markup is too long")
    return {**markup, "inline_keyboard": rows} if rows else None


def _check_inline_button(button: Any) -> None:
    _check_text_and_style(button, "inline keyboard button")
    actions = [name for name in _ACTIONS if button.get(name) is not None]
    if not actions:
        raise _broken("Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise _broken("exactly one of the optional fields must be used to specify the button type")
    _ACTIONS[actions[0]](button[actions[0]])


def _check_text_and_style(button: Any, what: str) -> None:
    if not isinstance(button, dict):
        raise bad_request(f"can't parse {what}: Object expected")
    if not isinstance(button.get("text"), str):
        raise bad_request(f"can't parse {what}: Can't find field \"text\"")
    if not button["text"].strip():
        raise bad_request(f"{what} text must be non-empty")
    if button.get("style") not in (None, "") and str(button["style"]) not in _STYLES:
        raise bad_request(f"can't parse {what}: invalid button style specified")


def _broken(reason: str) -> ApiError:
    return bad_request(f"can't parse inline keyboard button: {reason}")


def _check_data(value: Any) -> None:
    if not isinstance(value, str):
        raise _broken('Field "callback_data" must be of type String')
    if not 1 <= len(value.encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")


def _check_url(value: Any) -> None:
    if not isinstance(value, str):
        raise _broken('Field "url" must be of type String')
    if not _LINK.fullmatch(value):
        raise bad_request(f"inline keyboard button URL '{value}' is invalid: Wrong HTTP URL")


def _check_https_object(value: Any) -> None:
    url = value.get("url") if isinstance(value, dict) else None
    if not isinstance(url, str) or not url.startswith("https://"):
        raise bad_request(
            "inline keyboard button Web App URL is invalid: Only HTTPS links allowed"
        )


def _check_copy_text(value: Any) -> None:
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= 256:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")


def _check_query(value: Any) -> None:
    if not isinstance(value, str):
        raise _broken('Field "switch_inline_query" must be of type String')


def _check_object(value: Any) -> None:
    if not isinstance(value, dict):
        raise _broken("Object expected")


def _check_pay(value: Any) -> None:  # noqa: ARG001 - always refused
    raise bad_request("BUTTON_TYPE_INVALID")  # only invoices have pay buttons


_ACTIONS: dict[str, Callable[[Any], None]] = {
    "callback_data": _check_data,
    "url": _check_url,
    "web_app": _check_https_object,
    "login_url": _check_https_object,
    "copy_text": _check_copy_text,
    "switch_inline_query": _check_query,
    "switch_inline_query_current_chat": _check_query,
    "switch_inline_query_chosen_chat": _check_object,
    "callback_game": _check_pay,
    "pay": _check_pay,
}


def _reply(markup: Markup) -> Markup:
    rows = [row for row in _rows(markup, "keyboard") if row]
    if not rows:
        raise bad_request("reply keyboard must be non-empty")
    for row in rows:
        for button in row:
            _check_reply_button(button)
    return markup


def _check_reply_button(button: Any) -> None:
    if isinstance(button, str):
        button = {"text": button}
    _check_text_and_style(button, "keyboard button")
    if sum(button.get(name) not in (None, False) for name in _BUTTON_REQUESTS) > 1:
        raise bad_request("can't parse keyboard button: more than one action")
