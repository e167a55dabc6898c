"""answerCallbackQuery and answerInlineQuery."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sandbox.changes import tell
from sandbox.telegram.entities import utf16_length
from sandbox.telegram.errors import bad_request
from sandbox.telegram.keyboards import check_inline_markup
from sandbox.telegram.methods.base import Method
from sandbox.telegram.models import CallbackQuery, InlineQuery
from sandbox.telegram.params import Params
from sandbox.telegram.text import message_text

ANSWERABLE_FOR = timedelta(minutes=10)
CALLBACK_TEXT_LIMIT = 200
INLINE_RESULT_LIMIT = 50


def answer_callback_query(params: Params) -> bool:
    text = params.text("text")
    if utf16_length(text) > CALLBACK_TEXT_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    if params.has("url") and not params.text("url").startswith(("https://t.me/", "tg://")):
        raise bad_request("URL_INVALID")
    answer = {"text": text or None, "show_alert": params.flag("show_alert")}
    _answer(CallbackQuery, params, "callback_query_id", answer)
    tell(f"callback:{params.integer('callback_query_id')}")
    return True


def _answer(
    model: type[CallbackQuery] | type[InlineQuery],
    params: Params,
    name: str,
    answer: dict[str, Any],
) -> None:
    """A second answer is taken, as in the original, and the last one is kept."""
    now = timezone.now()
    number = params.integer(name)
    queries = model._default_manager.filter(pk=number, created_at__gt=now - ANSWERABLE_FOR)
    if not queries.update(answered_at=now, **answer):
        raise bad_request("query is too old and response timeout expired or query ID is invalid")


def answer_inline_query(params: Params) -> bool:
    results = params.parsed("results", what="inline query results")
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise bad_request("expected an Array of InlineQueryResult")
    if len(results) > INLINE_RESULT_LIMIT:
        raise bad_request("RESULTS_TOO_MUCH")
    for result in results:
        _check_result(result)
    _check_ids(str(result.get("id", "")) for result in results)
    answer = {
        "results": results,
        "cache_time": params.integer("cache_time", 300),
        "is_personal": params.flag("is_personal"),
        "next_offset": params.text("next_offset"),
    }
    _answer(InlineQuery, params, "inline_query_id", {"answer": answer})
    return True


def _check_ids(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for result_id in ids:
        if not 1 <= len(result_id.encode()) <= 64:
            raise bad_request("RESULT_ID_INVALID")
        if result_id in seen:
            raise bad_request("RESULT_ID_DUPLICATE")
        seen.add(result_id)


def _check_result(result: dict[str, Any]) -> None:
    kind = result.get("type")
    if not isinstance(kind, str) or not kind:
        raise bad_request("can't parse inline query result: Can't find field \"type\"")
    content = result.get("input_message_content")
    if kind == "article":
        if not str(result.get("title") or "").strip():
            raise bad_request("can't parse inline query result: Can't find field \"title\"")
        if not isinstance(content, dict):
            raise bad_request('can\'t parse inline query result: Field "message_text" is empty')
    if isinstance(content, dict) and "message_text" in content:
        _check_content(content)
    if result.get("reply_markup") is not None:
        check_inline_markup(result["reply_markup"])


def _check_content(content: dict[str, Any]) -> None:
    fields = {"text": content["message_text"], "parse_mode": content.get("parse_mode")}
    message_text(Params(fields | {"entities": content.get("entities")}))


METHODS = [
    Method("answerCallbackQuery", answer_callback_query),
    Method("answerInlineQuery", answer_inline_query),
]
