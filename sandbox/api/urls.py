from django.urls import path, register_converter

from sandbox.api import commands, control, inbox, inline, messages, people
from sandbox.api.http import driving, needs_chat, nothing


class SignedIdConverter:
    regex = r"-?[0-9]{1,16}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(SignedIdConverter, "sandbox_id")

_ONE_USER = "users/<sandbox_id:user_id>/"
_ONE_CHAT = "chats/<sandbox_id:chat_id>/"

urlpatterns = [
    path("inbox/", driving(get=inbox.show)),
    path("commands/", driving(get=commands.show)),
    path("users/", driving(get=people.list_users, post=people.create_user)),
    path(_ONE_USER, driving(get=people.show_user)),
    path(f"{_ONE_USER}block/", driving(post=people.block)),
    path(f"{_ONE_USER}unblock/", driving(post=people.unblock)),
    path("chats/", driving(get=people.list_chats, post=people.create_chat)),
    path(f"{_ONE_CHAT}migrate/", driving(post=needs_chat(people.migrate))),
    path(
        f"{_ONE_CHAT}messages/",
        driving(get=needs_chat(messages.list_messages), post=needs_chat(messages.post_message)),
    ),
    path(
        f"{_ONE_CHAT}messages/<sandbox_id:message_id>/press/",
        driving(post=needs_chat(messages.press)),
    ),
    path("callbacks/<sandbox_id:query_id>/", driving(get=messages.show_callback)),
    path("inline/", driving(post=inline.ask)),
    path("inline/<sandbox_id:query_id>/", driving(get=inline.show)),
    path("calls/", driving(get=control.list_calls)),
    path(
        "faults/",
        driving(get=control.list_faults, post=control.order_fault, delete=control.clear_faults),
    ),
    path("faults/<sandbox_id:fault_id>/", driving(delete=control.cancel_fault)),
    path("limits/", driving(get=control.show_limits, post=control.switch_limits)),
    path("reset/", driving(post=control.reset)),
    path("files/<path:path>", messages.show_file, name="sandbox-file"),
    path("", nothing),
    path("<path:rest>", nothing),
]
