"""Addresses of the back office and what its answers say."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from tests.backoffice.conftest import SECRETS


def url(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_{page}", args=args)


def body(client: Client, address: str) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, address
    return answer.content.decode()


def actor(login: str = "owner") -> str:
    """Return what is written down for a member of staff."""
    return f"staff:{User.objects.get(username=login).pk}"


def said(answer: HttpResponse) -> str:
    """What the messages of an answer say, one after another."""
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def words(answer: HttpResponse) -> str:
    return " ".join(strip_tags(answer.content.decode()).split())


def assert_no_goods(page: str) -> None:
    assert not [content for content in SECRETS if content in page]


def owners_actor() -> str:
    """Return how the audit trail calls the member of staff that `owner` is logged in as."""
    return f"staff:{User.objects.get(username='owner').pk}"
