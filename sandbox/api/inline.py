"""Inline mode: a person types `@bot words` in any chat."""

from django.db import transaction

from sandbox.api.http import Json, Refused, find_person, takes
from sandbox.telegram.models import InlineQuery
from sandbox.telegram.params import Params
from sandbox.telegram.updates import push_inline_query

QUERY_LIMIT = 256


@takes("from_id", "query", "offset")
def ask(params: Params) -> Json:
    person = find_person(params.integer("from_id"))
    words = params.text("query")
    if len(words) > QUERY_LIMIT:
        raise Refused(f"an inline query has at most {QUERY_LIMIT} characters")
    with transaction.atomic():
        query = InlineQuery.objects.create(user_id=person.pk, query=words)
        offset = params.text("offset")
        update_id = push_inline_query(query, person=person, offset=offset)
    return {"inline_query_id": str(query.pk), "update_id": update_id}


def show(params: Params, *, query_id: int) -> Json:  # noqa: ARG001 - a handler
    query = InlineQuery.objects.filter(pk=query_id).first()
    if query is None:
        raise Refused(f"unknown inline query {query_id}", status=404)
    answer = query.answer or {"results": []}
    return {"id": str(query.pk), "answered": query.answered_at is not None, **answer}
