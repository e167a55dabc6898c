import pytest


def button(**fields):
    return {"inline_keyboard": [[{"text": "a", **fields}]]}


@pytest.fixture
def chat(telegram):
    return telegram.person()


@pytest.mark.parametrize(
    "markup",
    [
        button(callback_data="x"),
        button(callback_data="é" * 32),
        button(url="https://a.b/c"),
        button(url="https://a.b/pay?redirect=https://t.me/bot&x=1"),
        button(url="http://localhost:8000"),
        button(url="http://127.0.0.1:8000/pay"),
        button(url="tg://user?id=1"),
        button(copy_text={"text": "TRX1"}),
        button(switch_inline_query=""),
        button(callback_data="x", style="success"),
        button(web_app={"url": "https://a.b"}),
        {"keyboard": [["AKUN", {"text": "STOK"}]], "resize_keyboard": True, "is_persistent": True},
        {"keyboard": [[{"text": "☎", "request_contact": True}]]},
        {"remove_keyboard": True},
        {"force_reply": True, "input_field_placeholder": "nama"},
    ],
)
def test_keyboards_arrive_as_they_were_sent(telegram, chat, markup):
    telegram.ok("sendMessage", chat_id=chat, text="x", reply_markup=markup)

    assert telegram.messages(chat)[0]["reply_markup"] == markup


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        (
            button(),
            "Text buttons are unallowed in the inline keyboard",
        ),
        (button(callback_data="x", url="https://a.b"), "exactly one of the optional fields"),
        (button(callback_data=""), "BUTTON_DATA_INVALID"),
        (button(callback_data="x" * 65), "BUTTON_DATA_INVALID"),
        (button(callback_data="é" * 33), "BUTTON_DATA_INVALID"),
        (button(callback_data=5), 'Field "callback_data" must be of type String'),
        (button(url="javascript:alert(1)"), "Wrong HTTP URL"),
        (button(url="nothing"), "Wrong HTTP URL"),
        (button(url="javascript:a.b"), "Wrong HTTP URL"),
        (button(web_app={"url": "http://a.b"}), "Only HTTPS links allowed"),
        (button(copy_text={"text": ""}), "BUTTON_COPY_TEXT_INVALID"),
        (button(callback_data="x", style="loud"), "invalid button style specified"),
        ({"inline_keyboard": [[{"callback_data": "x"}]]}, 'Can\'t find field "text"'),
        ({"inline_keyboard": [[{"text": " ", "callback_data": "x"}]]}, "text must be non-empty"),
        ({"inline_keyboard": [["x"]]}, "can't parse inline keyboard button: Object expected"),
        ({"inline_keyboard": {}}, "must be of type Array"),
        ({"inline_keyboard": [{}]}, "expected an Array of Arrays of buttons"),
        (
            {"inline_keyboard": [[{"text": "a", "callback_data": "x"}] * 101]},
            "reply markup is too long",
        ),
        ({"keyboard": []}, "reply keyboard must be non-empty"),
        ({"keyboard": [[{"text": ""}]]}, "text must be non-empty"),
        ({"keyboard": [[5]]}, "can't parse keyboard button: Object expected"),
        ([], "object expected as reply markup"),
        ("{", "can't parse reply keyboard markup JSON object"),
    ],
)
def test_broken_keyboards_are_refused(telegram, chat, markup, reason):
    refusal = telegram.refused("sendMessage", chat_id=chat, text="x", reply_markup=markup)

    assert refusal.startswith("400 Bad Request: ")
    assert reason in refusal
    assert telegram.messages(chat) == []


def test_a_keyboard_may_come_as_json_text(telegram, chat):
    markup = '{"inline_keyboard": [[{"text": "a", "callback_data": "x"}]]}'

    message = telegram.ok("sendMessage", chat_id=chat, text="x", reply_markup=markup)

    assert message["reply_markup"] == button(callback_data="x")


def test_a_reply_keyboard_is_not_part_of_the_message_returned(telegram, chat):
    markup = {"keyboard": [["AKUN"]]}

    message = telegram.ok("sendMessage", chat_id=chat, text="x", reply_markup=markup)

    assert "reply_markup" not in message


def test_an_edit_takes_inline_keyboards_only(telegram, chat):
    sent = telegram.ok("sendMessage", chat_id=chat, text="x")["message_id"]
    edit = {"chat_id": chat, "message_id": sent, "text": "y"}

    assert telegram.refused("editMessageText", **edit, reply_markup={"keyboard": [["A"]]}) == (
        "400 Bad Request: inline keyboard expected"
    )
