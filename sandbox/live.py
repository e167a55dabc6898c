"""`/sandbox/live/`: what changes, told to an open page as server-sent events."""

import json
import logging
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from sandbox.changes import Listener, ReaderGone, listening

logger = logging.getLogger(__name__)

STREAMS = 12  # each holds one of the server's threads and a database connection
LIFETIME = 300.0  # the browser comes back by itself
HEARTBEAT = 15.0  # a proxy in between would else take it for dead
GATHER = 0.02  # what is committed this close together is told together

_places = threading.BoundedSemaphore(STREAMS)


@require_GET
def live(request: HttpRequest) -> HttpResponseBase:
    if not _places.acquire(blocking=False):
        return JsonResponse({"error": f"{STREAMS} pages are listening already"}, status=503)
    return StreamingHttpResponse(
        _Stream(request.META.get("gunicorn.socket")),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


class _Stream:
    """Gives its place back when it is closed, also if nobody ever began to read it."""

    def __init__(self, reader: Any) -> None:
        self._events = _events(reader)
        self._leave = weakref.finalize(self, _places.release)
        self._leave.atexit = False

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        try:
            self._events.close()
        finally:
            self._leave()


def _events(reader: Any) -> Generator[bytes]:
    yield b"retry: 1000\n\n"
    try:
        with listening(reader) as listener:
            # From here on nothing is missed: what the page reads after this is up to date.
            yield _event("hello", {})
            yield from _changes(listener)
    except ReaderGone:
        return
    except DatabaseError as error:
        logger.warning("live stream ended: %s", error)


def _changes(listener: Listener) -> Iterator[bytes]:
    end = time.monotonic() + LIFETIME
    while (left := end - time.monotonic()) > 0:
        tokens = listener.wait(min(left, HEARTBEAT))
        if tokens:
            time.sleep(GATHER)
            tokens = list(dict.fromkeys([*tokens, *listener.heard()]))
        yield _event("changes", tokens) if tokens else b":\n\n"


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
