"""Sending, editing, deleting: as strict as the original."""

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sandbox.telegram.files import DEMO_STICKER
from sandbox.telegram.models import File, Message
from tests.sandbox.bot_api import FILE_PREFIX, PREFIX, png

NOT_MODIFIED = (
    "400 Bad Request: message is not modified: specified new message content and reply markup "
    "are exactly the same as a current content and reply markup of the message"
)
KEYBOARD = {"inline_keyboard": [[{"text": "Beli", "callback_data": "/product/7/1"}]]}


def picture(name="qr.png", **size):
    return SimpleUploadedFile(name, png(**size), "image/png")


@pytest.fixture
def chat(telegram):
    return telegram.person(username="sari", language_code="id")


@pytest.fixture
def sent(telegram, chat):
    return telegram.ok("sendMessage", chat_id=chat, text="a")["message_id"]


@pytest.fixture
def photo(telegram, chat):
    answer = telegram.upload("sendPhoto", chat_id=chat, photo=picture(), caption="QR")
    return answer["result"]["message_id"]


def test_wrong_token_is_401(telegram):
    response = telegram.client.post("/sandbox/telegram/bot1:wrong/getMe")

    assert response.status_code == 401
    assert response.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}


def test_unknown_method_is_404(telegram):
    assert telegram.refused("sendNothing") == "404 Not Found: method not found"


def test_method_names_are_case_insensitive(telegram):
    assert telegram.ok("GETME")["is_bot"] is True


@pytest.mark.parametrize("how", ["json", "form", "multipart", "query"])
def test_arguments_come_as_json_form_multipart_or_query(telegram, chat, how):
    fields = {"chat_id": str(chat), "text": "halo & <b>", "disable_notification": "true"}
    client, url = telegram.client, PREFIX + "sendMessage"
    if how == "json":
        response = client.post(url, fields, content_type="application/json")
    elif how == "form":
        form = "application/x-www-form-urlencoded"
        body = f"chat_id={chat}&text=halo+%26+%3Cb%3E&disable_notification=true"
        response = client.post(url, body, content_type=form)
    elif how == "multipart":
        response = client.post(url, fields)
    else:
        response = client.get(url, fields)

    assert response.json()["result"]["text"] == "halo & <b>"


def test_broken_json_is_refused(telegram):
    response = telegram.client.post(PREFIX + "getMe", "{", content_type="application/json")

    assert response.json()["description"] == "Bad Request: can't parse JSON object"


def test_a_sent_message_names_bot_chat_and_entities(telegram, chat):
    message = telegram.ok("sendMessage", chat_id=chat, text="<b>é😀</b>", parse_mode="HTML")

    assert message["from"]["is_bot"] is True
    assert message["chat"]["id"] == chat
    assert message["chat"]["type"] == "private"
    assert message["text"] == "é😀"
    assert message["entities"] == [{"type": "bold", "offset": 0, "length": 3}]


def test_message_ids_of_a_chat_ascend_by_one(telegram, chat):
    ids = [telegram.ok("sendMessage", chat_id=chat, text="x")["message_id"] for _ in range(3)]

    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"text": ""}, "400 Bad Request: message text is empty"),
        ({"text": " \n "}, "400 Bad Request: message text is empty"),
        ({"text": "x" * 4097}, "400 Bad Request: message is too long"),
        ({"text": "😀" * 2049}, "400 Bad Request: message is too long"),
        (
            {"text": "x</b>", "parse_mode": "HTML"},
            "400 Bad Request: can't parse entities: Unexpected end tag at byte offset 1",
        ),
        ({"text": "x", "parse_mode": "XML"}, "400 Bad Request: unsupported parse_mode"),
        ({"text": "x", "chat_id": 5}, "400 Bad Request: chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "400 Bad Request: chat not found"),
        ({"text": "x", "chat_id": 10**22}, "400 Bad Request: chat not found"),
        ({"text": "x", "chat_id": ""}, "400 Bad Request: chat_id is empty"),
        (
            {"text": "x", "reply_parameters": {"message_id": 999}},
            "400 Bad Request: message to be replied not found",
        ),
        (
            {"text": "x", "entities": [{"type": "shout", "offset": 0, "length": 1}]},
            "400 Bad Request: can't parse MessageEntity: unsupported type",
        ),
    ],
)
def test_bad_messages_are_refused_and_leave_nothing(telegram, chat, params, refusal):
    assert telegram.refused("sendMessage", **{"chat_id": chat, **params}) == refusal
    assert telegram.messages(chat) == []


@pytest.mark.parametrize("text", ["x" * 4096, "😀" * 2048, "<b>" + "x" * 4096 + "</b>"])
def test_the_limit_counts_utf16_units_after_parsing(telegram, chat, text):
    assert telegram.ok("sendMessage", chat_id=chat, text=text, parse_mode="HTML")


def test_text_arrives_intact_whatever_it_holds(telegram, chat):
    text = "<b> & \u202eعربى\u202c 😀 \"quoted\" 'x'"

    telegram.ok("sendMessage", chat_id=chat, text=text)

    assert telegram.messages(chat)[0]["text"] == text


def test_control_characters_become_spaces(telegram, chat):
    assert telegram.ok("sendMessage", chat_id=chat, text="a\x00b\x07c")["text"] == "a b c"


def test_a_reply_shows_what_it_replies_to(telegram, chat, sent):
    message = telegram.ok(
        "sendMessage", chat_id=chat, text="b", reply_parameters={"message_id": sent}
    )

    assert message["reply_to_message"]["message_id"] == sent
    assert telegram.messages(chat)[-1]["reply_to_message_id"] == sent


def test_a_reply_to_nothing_may_be_sent_without(telegram, chat):
    reply = {"message_id": 999, "allow_sending_without_reply": True}

    message = telegram.ok("sendMessage", chat_id=chat, text="b", reply_parameters=reply)

    assert "reply_to_message" not in message


def test_a_photo_is_stored_and_can_be_fetched(telegram, chat):
    answer = telegram.upload("sendPhoto", chat_id=chat, photo=picture(width=8, height=6))

    size = answer["result"]["photo"][-1]
    assert (size["width"], size["height"]) == (8, 6)
    path = telegram.ok("getFile", file_id=size["file_id"])["file_path"]
    assert path.startswith("photos/")
    assert telegram.client.get(FILE_PREFIX + path).content == png(8, 6)
    shown = telegram.client.get(telegram.messages(chat)[0]["photo"])
    assert shown.content == png(8, 6)
    assert shown["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"no picture", "Bad Request: IMAGE_PROCESS_FAILED"),
        (b"", "Bad Request: file must be non-empty"),
        (png(1, 30), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
    ],
)
def test_what_is_no_photo_is_refused(telegram, chat, content, refusal):
    upload = SimpleUploadedFile("a.png", content, "image/png")

    answer = telegram.upload("sendPhoto", chat_id=chat, photo=upload)

    assert answer["description"] == refusal
    assert not File.objects.exists()


def test_a_photo_is_sent_again_by_its_file_id_and_only_as_a_photo(telegram, chat, photo):
    file_id = File.objects.get().file_id

    message = telegram.ok("sendPhoto", chat_id=chat, photo=file_id)

    assert message["photo"][0]["file_id"] == file_id
    assert telegram.refused("sendDocument", chat_id=chat, document=file_id) == (
        "400 Bad Request: type of file mismatch"
    )
    assert telegram.refused("sendPhoto", chat_id=chat, photo="AgACnothing") == (
        "400 Bad Request: wrong file identifier/HTTP URL specified"
    )
    assert telegram.refused("sendPhoto", chat_id=chat) == (
        "400 Bad Request: there is no photo in the request"
    )


def test_a_document_keeps_name_and_content(telegram, chat):
    upload = SimpleUploadedFile("TRX1.txt", "isi é".encode(), "text/plain")

    message = telegram.upload("sendDocument", chat_id=chat, document=upload)["result"]

    assert message["document"]["file_name"] == "TRX1.txt"
    assert message["document"]["mime_type"] == "text/plain"
    row = telegram.messages(chat)[0]
    assert row["file_name"] == "TRX1.txt"
    assert telegram.client.get(row["document"]).content == "isi é".encode()


def test_attached_files_are_found_by_name(telegram, chat):
    answer = telegram.upload("sendPhoto", chat_id=chat, photo="attach://qr", qr=picture())

    assert answer["ok"]
    missing = telegram.upload("sendPhoto", chat_id=chat, photo="attach://no")
    assert missing["description"] == "Bad Request: attached file 'no' not found"


@pytest.mark.parametrize(("length", "fits"), [(1024, True), (1025, False)])
def test_a_caption_has_at_most_1024_characters(telegram, chat, length, fits):
    answer = telegram.upload("sendPhoto", chat_id=chat, photo=picture(), caption="x" * length)

    assert answer["ok"] is fits
    if not fits:
        assert answer["description"] == "Bad Request: message caption is too long"


def test_the_demo_sticker_is_always_there(telegram, chat):
    assert telegram.ok("sendSticker", chat_id=chat, sticker=DEMO_STICKER)["sticker"]
    shown = telegram.client.get(telegram.messages(chat)[0]["sticker"])
    assert shown["Content-Type"] == "image/svg+xml"
    assert "sandbox" in shown["Content-Security-Policy"]


def test_an_album_is_several_messages_of_one_group(telegram, chat):
    media = [{"type": "photo", "media": "attach://a", "caption": "1"}]
    media.append({"type": "photo", "media": "attach://b"})

    answer = telegram.client.post(
        PREFIX + "sendMediaGroup",
        {"chat_id": chat, "media": json.dumps(media), "a": picture(), "b": picture()},
    )

    first, second = answer.json()["result"]
    assert first["media_group_id"] == second["media_group_id"]
    assert second["message_id"] == first["message_id"] + 1
    assert first["caption"] == "1"


def test_an_album_of_one_or_of_mixed_kinds_is_refused(telegram, chat):
    one = [{"type": "photo", "media": "x"}]
    mixed = [*one, {"type": "document", "media": "x"}]

    assert "2-10" in telegram.refused("sendMediaGroup", chat_id=chat, media=one)
    assert "mixed" in telegram.refused("sendMediaGroup", chat_id=chat, media=mixed)


def test_copy_carries_content_and_forward_names_the_origin(telegram, chat, photo):
    other = telegram.person("Budi")
    source = {"chat_id": other, "from_chat_id": chat, "message_id": photo}

    copied = telegram.ok("copyMessage", **source, caption="<b>baru</b>", parse_mode="HTML")
    forwarded = telegram.ok("forwardMessage", **source)

    assert set(copied) == {"message_id"}
    assert telegram.messages(other)[0]["html"] == "<b>baru</b>"
    assert forwarded["forward_origin"]["sender_user"]["is_bot"] is True
    assert forwarded["caption"] == "QR"
    assert telegram.refused("copyMessage", **source | {"message_id": 99}) == (
        "400 Bad Request: message to copy not found"
    )


def test_protected_messages_cannot_be_copied_or_forwarded(telegram, chat):
    sent = telegram.ok("sendMessage", chat_id=chat, text="x", protect_content=True)
    source = {"chat_id": chat, "from_chat_id": chat, "message_id": sent["message_id"]}

    assert sent["has_protected_content"] is True
    assert telegram.refused("copyMessage", **source) == (
        "400 Bad Request: message can't be copied"
    )
    assert telegram.refused("forwardMessage", **source) == (
        "400 Bad Request: message can't be forwarded"
    )


def test_an_edit_replaces_text_and_keyboard_and_is_seen_as_a_change(telegram, chat, sent):
    before = telegram.see(f"chats/{chat}/messages/")["event"]

    telegram.ok("editMessageText", chat_id=chat, message_id=sent, text="b", reply_markup=KEYBOARD)

    (row,) = telegram.messages(chat, after=before)
    assert (row["text"], row["edited"], row["reply_markup"]) == ("b", True, KEYBOARD)


def test_the_same_again_is_not_modified(telegram, chat, sent):
    edit = {"chat_id": chat, "message_id": sent, "text": "b", "reply_markup": KEYBOARD}
    telegram.ok("editMessageText", **edit)
    before = telegram.see(f"chats/{chat}/messages/")["event"]

    assert telegram.refused("editMessageText", **edit) == NOT_MODIFIED
    assert telegram.refused("editMessageReplyMarkup", **edit) == NOT_MODIFIED
    assert telegram.messages(chat, after=before) == []


def test_an_edit_without_keyboard_takes_the_keyboard_away(telegram, chat):
    sent = telegram.ok("sendMessage", chat_id=chat, text="a", reply_markup=KEYBOARD)

    telegram.ok("editMessageText", chat_id=chat, message_id=sent["message_id"], text="a")

    assert telegram.messages(chat)[0]["reply_markup"] is None


def test_text_cannot_be_edited_into_a_photo_nor_a_caption_into_text(telegram, chat, sent, photo):
    assert telegram.refused("editMessageText", chat_id=chat, message_id=photo, text="x") == (
        "400 Bad Request: there is no text in the message to edit"
    )
    assert telegram.refused("editMessageCaption", chat_id=chat, message_id=sent, caption="x") == (
        "400 Bad Request: there is no caption in the message to edit"
    )


def test_a_caption_is_edited(telegram, chat, photo):
    telegram.ok("editMessageCaption", chat_id=chat, message_id=photo, caption="lunas")

    row = telegram.messages(chat)[0]
    assert (row["caption"], bool(row["photo"])) == ("lunas", True)


def test_media_replaces_media_and_text(telegram, chat, sent, photo):
    media = {"type": "photo", "media": File.objects.get().file_id, "caption": "baru"}

    for message_id in (sent, photo):
        telegram.ok("editMessageMedia", chat_id=chat, message_id=message_id, media=media)

    rows = {row["message_id"]: row for row in telegram.messages(chat)}
    assert [rows[n]["caption"] for n in (sent, photo)] == ["baru", "baru"]
    assert rows[sent]["text"] is None
    assert rows[sent]["photo"] == rows[photo]["photo"]


def test_messages_of_others_and_with_a_reply_keyboard_cannot_be_edited(telegram, chat):
    theirs = telegram.say(chat, "halo")["message_id"]
    menu = telegram.ok(
        "sendMessage", chat_id=chat, text="x", reply_markup={"keyboard": [["AKUN"]]}
    )

    for message_id in (theirs, menu["message_id"]):
        assert telegram.refused(
            "editMessageText", chat_id=chat, message_id=message_id, text="x"
        ) == ("400 Bad Request: message can't be edited")
    assert telegram.refused("editMessageText", chat_id=chat, message_id=999, text="x") == (
        "400 Bad Request: message to edit not found"
    )


def test_a_deleted_message_is_gone_for_the_bot_and_shown_as_deleted(telegram, chat, sent):
    telegram.ok("deleteMessage", chat_id=chat, message_id=sent)

    assert telegram.messages(chat)[0]["deleted"] is True
    assert telegram.refused("deleteMessage", chat_id=chat, message_id=sent) == (
        "400 Bad Request: message to delete not found"
    )
    assert telegram.refused("editMessageText", chat_id=chat, message_id=sent, text="x") == (
        "400 Bad Request: message to edit not found"
    )


def test_a_message_older_than_48_hours_cannot_be_deleted(telegram, chat, sent):
    message = Message.objects.get(message_id=sent, chat_id=chat)
    Message.objects.update(sent_at=message.sent_at - timedelta(hours=48, seconds=1))

    assert telegram.refused("deleteMessage", chat_id=chat, message_id=sent) == (
        "400 Bad Request: message can't be deleted for everyone"
    )
    assert telegram.messages(chat)[0]["deleted"] is False


def test_what_people_write_in_a_group_cannot_be_deleted(telegram, chat):
    group = telegram.group(chat)
    theirs = telegram.say(group, "halo", from_id=chat)["message_id"]

    assert telegram.refused("deleteMessage", chat_id=group, message_id=theirs) == (
        "400 Bad Request: message can't be deleted"
    )


def test_a_person_who_blocked_the_bot_is_403(telegram, chat, sent):
    telegram.drive(f"users/{chat}/block/")

    refusal = "403 Forbidden: bot was blocked by the user"
    assert telegram.refused("sendMessage", chat_id=chat, text="x") == refusal
    assert telegram.refused("editMessageText", chat_id=chat, message_id=sent, text="x") == refusal
    telegram.drive(f"users/{chat}/unblock/")
    assert telegram.ok("sendMessage", chat_id=chat, text="x")


def test_a_text_message_costs_few_queries(telegram, chat, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):  # BEGIN and COMMIT (here: a savepoint) among them
        telegram.ok("sendMessage", chat_id=chat, text="x")
