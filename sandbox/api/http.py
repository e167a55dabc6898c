"""Small JSON views: read the body, refuse with `{"error": …}`."""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt

from sandbox.telegram.errors import ApiError
from sandbox.telegram.models import Chat
from sandbox.telegram.params import BIGGEST_ID, Params, read_params

logger = logging.getLogger(__name__)

Json = dict[str, Any]
View = Callable[..., HttpResponse]
Handler = Callable[..., Json]


class Refused(Exception):
    def __init__(self, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def driving(**handlers: Handler) -> View:
    """One view from a handler per HTTP method, named in lower case: `driving(get=…, post=…)`.

    A handler takes the request's Params and the parts of the path, and returns the answer.
    """

    @csrf_exempt
    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        handler = handlers.get((request.method or "").lower())
        if is_from_elsewhere(request):
            return _refusal("another website may not drive the sandbox", 403)
        if handler is None:
            return _refusal("method not allowed", 405)
        try:
            return JsonResponse(_answer(handler, request, path))
        except Refused as refused:
            return _refusal(refused.reason, refused.status)

    return view


def is_from_elsewhere(request: HttpRequest) -> bool:
    """Whether a page of another site makes the browser ask this: there is no login to stop it."""
    return request.headers.get("Sec-Fetch-Site") == "cross-site"


def _answer(handler: Handler, request: HttpRequest, path: dict[str, Any]) -> Json:
    """Whatever else goes wrong is a Refused, too: programs read this, not people."""
    try:
        return handler(read_params(request), **path)
    except ApiError as error:
        raise Refused(error.description, status=error.code) from None
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise Refused(str(error)) from None
    except DataError as error:
        # A number too big for its column, a character PostgreSQL cannot hold.
        raise Refused(f"the database cannot store this: {error}") from None
    except DatabaseError:
        logger.exception("driving request failed", extra={"path": request.path})
        raise Refused("the database is in trouble: try again", status=500) from None


@csrf_exempt
def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:  # noqa: ARG001 - a view
    return _refusal(f"no such address: {request.path} (each ends in a slash)", 404)


def takes(*names: str) -> Callable[[Handler], Handler]:
    """Refuse a field of another name: left unread, a misspelt one would change the meaning."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def wrapped(params: Params, **path: Any) -> Json:
            check_fields([*params.values, *params.files], names)
            return handler(params, **path)

        return wrapped

    return decorate


def check_fields(given: Iterable[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise Refused(f"unknown field {name}; known: {', '.join(known) or 'none'}")


def _refusal(reason: str, status: int) -> HttpResponse:
    return JsonResponse({"error": reason}, status=status)


def needs_chat(handler: Handler) -> Handler:
    """Turn `chat_id` of the path into the Chat."""

    @wraps(handler)
    def wrapped(params: Params, *, chat_id: int, **path: Any) -> Json:
        return handler(params, chat=find_chat(chat_id), **path)

    return wrapped


def find_chat(chat_id: int) -> Chat:
    chat = Chat.objects.filter(pk=chat_id).first() if abs(chat_id) <= BIGGEST_ID else None
    if chat is None:
        raise Refused(f"unknown chat {chat_id}", status=404)
    return chat


def find_person(user_id: int) -> Chat:
    person = Chat.objects.filter(pk=user_id, kind=Chat.Kind.PRIVATE).first()
    if person is None:
        raise Refused(f"unknown user {user_id}", status=404)
    return person


def find_actor(params: Params, chat: Chat) -> Chat:
    """Who acts in `chat`: `from_id`, a member; may be left out in a private chat."""
    default = chat.pk if chat.kind == Chat.Kind.PRIVATE else 0
    person = find_person(params.integer("from_id", default))
    is_here = chat.pk == person.pk or chat.memberships.filter(user_id=person.pk).exists()
    if not is_here:
        raise Refused(f"user {person.pk} is not in chat {chat.pk}")
    if person.is_blocked and chat.pk == person.pk:
        raise Refused(f"user {person.pk} has blocked the bot")
    return person
