"""What the chat page reads: the list of chats, a conversation, the menu of commands."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from tests.sandbox.bot_api import png


@pytest.fixture
def chat(telegram):
    return telegram.person("Sari", last_name="Dewi", username="sari", language_code="id")


def inbox(telegram):
    return {chat["id"]: chat for chat in telegram.see("inbox/")["chats"]}


def previews(telegram, chat):
    return inbox(telegram)[chat]["last"]["preview"]


def test_the_personas_come_first_then_their_group_then_the_latest(telegram, settings):
    call_command("seed_sandbox", verbosity=0)
    known = [
        *(each["id"] for each in settings.SANDBOX_PERSONAS),
        settings.SANDBOX_STAFF_CHAT["id"],
    ]
    first, second, silent = telegram.person(), telegram.person(), telegram.person()
    telegram.say(second, "x")
    telegram.say(first, "x")

    assert list(inbox(telegram)) == [*known, silent, first, second]
    telegram.ok("sendMessage", chat_id=second, text="x")
    telegram.say(silent, "x")
    assert list(inbox(telegram)) == [*known, silent, second, first]
    roles = [chat["role"] for chat in inbox(telegram).values()]
    assert roles == ["customer", "reseller", "admin", "group", "guest", "guest", "guest"]


def test_at_most_sixty_chats_are_listed(telegram):
    people = [telegram.person() for _ in range(61)]
    for person in people:
        telegram.say(person, "x")

    assert list(inbox(telegram)) == people[:0:-1]
    with_also = telegram.see(f"inbox/?also={people[0]}")["chats"]
    assert [chat["id"] for chat in with_also] == [*people[:0:-1], people[0]]
    assert telegram.see(f"inbox/?also={people[1]}") == telegram.see("inbox/")


def test_people_who_never_wrote_do_not_crowd_out_those_who_did(telegram, chat):
    silent = [telegram.person() for _ in range(12)]
    telegram.say(chat, "x")

    assert list(inbox(telegram)) == [*silent[:1:-1], chat]


def test_unread_is_what_the_bot_wrote_since(telegram, chat):
    seen = telegram.ok("sendMessage", chat_id=chat, text="seen")["message_id"]
    telegram.ok("sendMessage", chat_id=chat, text="one")
    gone = telegram.ok("sendMessage", chat_id=chat, text="gone")["message_id"]
    telegram.ok("deleteMessage", chat_id=chat, message_id=gone)
    telegram.ok("sendMessage", chat_id=chat, text="two")
    telegram.say(chat, "mine")
    other = telegram.person()
    telegram.ok("sendMessage", chat_id=other, text="nobody asks for this one")

    def unread(query):
        return {each["id"]: each["unread"] for each in telegram.see(f"inbox/{query}")["chats"]}

    assert unread(f"?seen={chat}:{seen},{other + 1}:7") == {chat: 2, other: 0}
    assert unread(f"?seen={chat}:{2**40},nonsense,:,-1") == {chat: 3, other: 0}
    assert unread("") == {chat: 0, other: 0}


def test_pages_of_a_conversation_bring_its_keyboard(telegram, chat):
    keyboard = {"keyboard": [[{"text": "STOK"}]]}
    sent = telegram.ok("sendMessage", chat_id=chat, text="k", reply_markup=keyboard)["message_id"]
    others = [telegram.say(chat, str(number))["message_id"] for number in range(4)]

    newest = telegram.see(f"chats/{chat}/messages/?after=0&limit=2")
    earlier = telegram.see(f"chats/{chat}/messages/?limit=2&before={others[2]}")

    assert [row["message_id"] for row in newest["messages"]] == others[2:]
    assert newest["keyboard"] == {"message_id": sent, "reply_markup": keyboard}
    assert [row["message_id"] for row in earlier["messages"]] == others[:2]
    assert earlier["event"] == newest["event"]
    assert "keyboard" not in telegram.see(f"chats/{chat}/messages/?after={newest['event']}")
    telegram.ok("deleteMessage", chat_id=chat, message_id=sent)
    assert telegram.see(f"chats/{chat}/messages/?limit=2")["keyboard"] is None


def test_a_page_of_another_site_may_not_drive(telegram, chat):
    path = f"/sandbox/api/chats/{chat}/messages/"
    body = {"text": "from elsewhere"}
    for site, status in {"cross-site": 403, "same-origin": 200, "none": 200}.items():
        answer = telegram.client.post(
            path, body, content_type="application/json", headers={"Sec-Fetch-Site": site}
        )
        assert answer.status_code == status
    assert len(telegram.messages(chat)) == 2


def test_a_chat_says_who_it_is_with_and_what_was_said_last(telegram, chat):
    empty = inbox(telegram)[chat]
    assert empty == {
        "id": chat,
        "kind": "private",
        "title": "Sari Dewi",
        "first_name": "Sari",
        "username": "sari",
        "language_code": "id",
        "role": "guest",
        "blocked": False,
        "migrated_to": None,
        "member_ids": [],
        "event": 0,
        "last": None,
        "unread": 0,
    }
    said = telegram.say(chat, "halo")

    shown = inbox(telegram)[chat]

    assert shown["event"] == telegram.see(f"chats/{chat}/messages/")["event"]
    assert shown["last"].pop("date") > 1_600_000_000
    assert shown["last"] == {
        "message_id": said["message_id"],
        "from_id": chat,
        "from_bot": False,
        "from_name": "Sari Dewi",
        "preview": "halo",
    }


def test_the_bot_says_who_it_is(telegram, settings):
    assert telegram.see("inbox/")["bot"] == {
        "id": 900_000_000,
        "username": settings.SANDBOX_BOT_USERNAME,
        "name": settings.SANDBOX_BOT_NAME,
    }


def test_a_deleted_message_is_not_the_last_but_counts_as_a_change(telegram, chat):
    telegram.ok("sendMessage", chat_id=chat, text="stays")
    gone = telegram.ok("sendMessage", chat_id=chat, text="goes")
    telegram.ok("deleteMessage", chat_id=chat, message_id=gone["message_id"])

    shown = inbox(telegram)[chat]

    assert shown["last"]["preview"] == "stays"
    assert shown["last"]["from_bot"] is True
    assert shown["event"] == telegram.see(f"chats/{chat}/messages/")["event"]


def test_a_preview_is_one_line_of_at_most_a_hundred_characters(telegram, chat):
    telegram.ok("sendMessage", chat_id=chat, text="a\n\n  b")
    assert previews(telegram, chat) == "a b"
    telegram.say(chat, "x" * 100)
    assert previews(telegram, chat) == "x" * 100
    telegram.say(chat, "x" * 101)
    assert previews(telegram, chat) == "x" * 99 + "…"


def test_a_preview_names_a_file_without_words(telegram, chat):
    photo, document = (SimpleUploadedFile(n, png(), "image/png") for n in ("a.png", "b.txt"))
    telegram.upload("sendPhoto", chat_id=chat, photo=photo)
    assert previews(telegram, chat) == "📷 Photo"
    telegram.upload("sendDocument", chat_id=chat, document=document)
    assert previews(telegram, chat) == "📎 b.txt"
    telegram.drive(f"chats/{chat}/messages/", sticker=True)
    assert previews(telegram, chat) == "Sticker"
    captioned = SimpleUploadedFile("a.png", png(), "image/png")
    telegram.upload("sendPhoto", chat_id=chat, photo=captioned, caption="words")
    assert previews(telegram, chat) == "words"


def test_a_migrated_group_points_to_its_supergroup(telegram, chat):
    group = telegram.group(chat)
    supergroup = telegram.drive(f"chats/{group}/migrate/")["id"]

    shown = inbox(telegram)

    assert (shown[group]["migrated_to"], shown[group]["member_ids"]) == (supergroup, [chat])
    assert (shown[supergroup]["kind"], shown[supergroup]["role"]) == ("supergroup", "group")
    assert shown[group]["last"]["preview"] == "This group became a supergroup"


def test_a_row_says_who_wrote_it_and_what_it_answers(telegram, chat):
    said = telegram.say(chat, "how\nmuch?")["message_id"]
    telegram.ok("sendMessage", chat_id=chat, text="5", reply_parameters={"message_id": said})

    asked, answered = telegram.messages(chat)

    assert (asked["from_name"], asked["reply_to"]) == ("Sari Dewi", None)
    assert answered["from_name"] == telegram.see("inbox/")["bot"]["name"]
    quote = {"message_id": said, "from_name": "Sari Dewi", "preview": "how much?"}
    assert answered["reply_to"] == quote
    telegram.ok("deleteMessage", chat_id=chat, message_id=said)
    answer = next(row for row in telegram.messages(chat) if row["text"] == "5")
    assert (answer["reply_to"], answer["reply_to_message_id"]) == (None, said)


def test_a_row_gives_the_size_of_its_file(telegram, chat):
    photo = SimpleUploadedFile("a.png", png(30, 20), "image/png")
    document = SimpleUploadedFile("b.txt", b"12345", "text/plain")
    telegram.upload("sendPhoto", chat_id=chat, photo=photo)
    telegram.upload("sendDocument", chat_id=chat, document=document)
    telegram.say(chat, "x")

    sizes = ("photo_width", "photo_height", "file_size")
    assert [[row[name] for name in sizes] for row in telegram.messages(chat)] == [
        [30, 20, len(png(30, 20))],
        [None, None, 5],
        [None, None, None],
    ]


def test_a_limit_leaves_the_newest_that_still_stand(telegram, chat):
    sent = [telegram.ok("sendMessage", chat_id=chat, text=n)["message_id"] for n in "abcd"]
    telegram.ok("deleteMessage", chat_id=chat, message_id=sent[3])
    telegram.ok("editMessageText", chat_id=chat, message_id=sent[0], text="A")

    seen = telegram.see(f"chats/{chat}/messages/?after=0&limit=2")

    assert [row["text"] for row in seen["messages"]] == ["b", "c"]
    whole = telegram.see(f"chats/{chat}/messages/?after=0")
    assert seen["event"] == whole["event"]
    assert telegram.messages(chat, after=seen["event"]) == []
    first = whole["messages"][0]["event"]
    after = telegram.see(f"chats/{chat}/messages/?after={first}&limit=1")["messages"]
    assert [row["text"] for row in after] == ["c", "d", "A"]


def commands(telegram, **query):
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return [each["command"] for each in telegram.see(f"commands/?{words}")["commands"]]


def offer(telegram, name, **audience):
    command = {"command": name, "description": "x"}
    telegram.ok("setMyCommands", commands=[command], **audience)


def test_the_most_specific_list_of_commands_wins_its_language_first(telegram, chat):
    person = {"chat_id": chat, "language_code": "id"}
    assert commands(telegram, **person) == []
    offer(telegram, "default")
    assert commands(telegram, **person) == ["default"]
    offer(telegram, "default_id", language_code="id")
    assert commands(telegram, **person) == ["default_id"]
    assert commands(telegram, chat_id=chat, language_code="en") == ["default"]
    offer(telegram, "private", scope={"type": "all_private_chats"})
    assert commands(telegram, **person) == ["private"]
    offer(telegram, "chat", scope={"type": "chat", "chat_id": str(chat)})
    assert commands(telegram, **person) == ["chat"]
    assert commands(telegram, chat_id=telegram.person()) == ["private"]


def test_without_a_language_the_persons_own_counts(telegram, chat):
    offer(telegram, "default")
    offer(telegram, "default_id", language_code="id")

    assert commands(telegram, chat_id=chat) == ["default_id"]
    assert commands(telegram, chat_id=telegram.person()) == ["default"]


def test_a_group_has_commands_of_its_own(telegram, chat):
    group = telegram.group(chat)
    offer(telegram, "private", scope={"type": "all_private_chats"})
    offer(telegram, "group", scope={"type": "all_group_chats"})
    assert commands(telegram, chat_id=group) == ["group"]
    member = {"type": "chat_member", "chat_id": group, "user_id": chat}
    offer(telegram, "member", scope=member)

    assert commands(telegram, chat_id=group, from_id=chat) == ["member"]
    assert commands(telegram, chat_id=group) == ["group"]
    assert telegram.client.get("/sandbox/api/commands/?chat_id=5").status_code == 404
