"""Programs of two bot libraries run against the stand-in with nothing changed but the base URL."""

import asyncio
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import aiogram
import httpx
import pytest
import telegram
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResultArticle,
    InputTextMessageContent,
    Message,
)
from django.conf import settings
from django.db import connection
from telegram.ext import (
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from tests.sandbox.bot_api import png

TOKEN = settings.SANDBOX_BOT_TOKEN


@pytest.fixture
def server(transactional_db: Any) -> Iterator[str]:
    """The web server that people run, on this test's database: it takes bodies in chunks, too."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    database = urlsplit(os.environ["DATABASE_URL"])
    database = database._replace(path="/" + connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "gunicorn", "quickcart.wsgi", "--no-control-socket"]
    command += ["--worker-class", "gthread", "--threads", "8", "--bind", address]
    command += ["--log-level", "warning"]
    process = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": database.geturl()})
    try:
        _wait_until_up(f"http://{address}")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(15)


def _wait_until_up(base: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"{base}/sandbox/api/users/", timeout=5)
            return
        time.sleep(0.1)
    raise AssertionError("the server did not start")


class Person:
    """Somebody with a phone: drives the stand-in over HTTP."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.id = 0

    async def sign_up(self) -> None:
        self.id = (await self._post("users/", {"first_name": "Sari"}))["id"]

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await self.http.post(f"/sandbox/api/{path}", json=body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def say(self, text: str) -> None:
        await self._post(f"chats/{self.id}/messages/", {"text": text})

    async def send_document(self, name: str, content: bytes) -> None:
        path = f"/sandbox/api/chats/{self.id}/messages/"
        response = await self.http.post(path, data={}, files={"document": (name, content)})
        assert response.status_code == 200, response.text

    async def press(self, message: dict[str, Any], data: str) -> str:
        path = f"chats/{self.id}/messages/{message['message_id']}/press/"
        return str((await self._post(path, {"data": data}))["callback_query_id"])

    async def ask_inline(self, words: str) -> str:
        answer = await self._post("inline/", {"from_id": self.id, "query": words})
        return str(answer["inline_query_id"])

    async def get(self, path: str) -> Any:
        return (await self.http.get(f"/sandbox/api/{path}")).json()

    async def sees(self, is_it: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The first message of the bot that fits, as soon as it is there."""
        for _ in range(200):
            rows = (await self.get(f"chats/{self.id}/messages/"))["messages"]
            found = [row for row in rows if row["from_bot"] and is_it(row)]
            if found:
                return dict(found[0])
            await asyncio.sleep(0.05)
        raise AssertionError(rows)

    async def gets(self, path: str) -> dict[str, Any]:
        for _ in range(200):
            row: dict[str, Any] = await self.get(path)
            if row["answered"]:
                return row
            await asyncio.sleep(0.05)
        raise AssertionError(path)


async def use_the_bot(base: str) -> None:
    """Commands, inline keyboard, edits, photo, document both ways, deletion, inline mode."""
    async with httpx.AsyncClient(base_url=base, timeout=10) as http:
        person = Person(http)
        await person.sign_up()
        await person.say("/start")
        menu = await person.sees(lambda row: row["text"] == "Halo Sari & <teman>")
        assert menu["html"] == "<b>Halo Sari</b> &amp; &lt;teman&gt;"
        assert menu["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "/photo"

        query = await person.press(menu, "/photo")
        assert (await person.gets(f"callbacks/{query}/"))["text"] == "OK"
        edited = await person.sees(lambda row: row["text"] == "Sebentar")
        assert (edited["message_id"], edited["edited"]) == (menu["message_id"], True)
        photo = await person.sees(lambda row: row["photo"] and row["caption"] == "QR lunas")
        assert (await http.get(photo["photo"])).content == png(30, 20)
        await person.sees(lambda row: row["text"] == "Sebentar" and row["deleted"])

        await person.send_document("stok.txt", b"a@x:pass\n")
        document = await person.sees(lambda row: row["document"])
        assert document["file_name"] == "balik.txt"
        assert (await http.get(document["document"])).content == b"A@X:PASS\n"

        inline = await person.ask_inline("netflix")
        results = (await person.gets(f"inline/{inline}/"))["results"]
        assert [result["title"] for result in results] == ["netflix!"]


async def ptb_start(update: Any, context: Any) -> None:
    button = telegram.InlineKeyboardButton("QR", callback_data="/photo")
    await update.message.reply_html(
        f"<b>Halo {update.effective_user.first_name}</b> &amp; &lt;teman>",
        reply_markup=telegram.InlineKeyboardMarkup([[button]]),
    )


async def ptb_pressed(update: Any, context: Any) -> None:
    query = update.callback_query
    await query.answer("OK")
    await query.edit_message_text("Sebentar")
    sent = await query.message.reply_photo(png(30, 20), caption="QR")
    await sent.edit_caption("QR lunas")
    await query.message.delete()


async def ptb_document(update: Any, context: Any) -> None:
    file = await update.message.document.get_file()
    content = bytes(await file.download_as_bytearray())
    await update.message.reply_document(io.BytesIO(content.upper()), filename="balik.txt")


async def ptb_inline(update: Any, context: Any) -> None:
    words = update.inline_query.query
    content = telegram.InputTextMessageContent(words)
    result = telegram.InlineQueryResultArticle("1", f"{words}!", content)
    await update.inline_query.answer([result], cache_time=0)


async def with_python_telegram_bot(base: str, work: Callable[[], Awaitable[None]]) -> None:
    builder = ApplicationBuilder().token(TOKEN)
    builder = builder.base_url(f"{base}/sandbox/telegram/bot")
    application = builder.base_file_url(f"{base}/sandbox/telegram/file/bot").build()
    application.add_handler(CommandHandler("start", ptb_start))
    application.add_handler(CallbackQueryHandler(ptb_pressed))
    application.add_handler(MessageHandler(filters.Document.ALL, ptb_document))
    application.add_handler(InlineQueryHandler(ptb_inline))
    async with application:
        await application.bot.set_my_commands([("start", "Mulai")])
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling(timeout=2)
        try:
            await work()
        finally:
            await application.updater.stop()
            await application.stop()


async def aiogram_start(message: Message) -> None:
    button = InlineKeyboardButton(text="QR", callback_data="/photo")
    await message.answer(
        "<b>Halo Sari</b> &amp; &lt;teman&gt;",
        parse_mode="HTML",
        reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]),
    )


async def aiogram_pressed(query: CallbackQuery) -> None:
    assert isinstance(query.message, Message)
    await query.answer("OK")
    await query.message.edit_text("Sebentar")
    photo = BufferedInputFile(png(30, 20), "qr.png")
    sent = await query.message.answer_photo(photo, caption="QR")
    await sent.edit_caption(caption="QR lunas")
    await query.message.delete()


async def aiogram_document(message: Message, bot: aiogram.Bot) -> None:
    assert message.document is not None
    content = await bot.download(message.document)
    assert content is not None
    await message.answer_document(BufferedInputFile(content.read().upper(), "balik.txt"))


async def aiogram_inline(query: InlineQuery) -> None:
    content = InputTextMessageContent(message_text=query.query)
    title = f"{query.query}!"
    result = InlineQueryResultArticle(id="1", title=title, input_message_content=content)
    await query.answer([result], cache_time=0)


async def with_aiogram(base: str, work: Callable[[], Awaitable[None]]) -> None:
    server = TelegramAPIServer.from_base(f"{base}/sandbox/telegram")
    bot = aiogram.Bot(TOKEN, session=AiohttpSession(api=server))
    dispatcher = aiogram.Dispatcher()
    dispatcher.message.register(aiogram_start, CommandStart())
    dispatcher.callback_query.register(aiogram_pressed)
    dispatcher.message.register(aiogram_document, aiogram.F.document)
    dispatcher.inline_query.register(aiogram_inline)
    polling = asyncio.create_task(
        dispatcher.start_polling(bot, handle_signals=False, polling_timeout=2)
    )
    try:
        await work()
    finally:
        await dispatcher.stop_polling()
        await polling


@pytest.mark.slow
@pytest.mark.parametrize("run", [with_python_telegram_bot, with_aiogram])
def test_a_program_runs_with_nothing_changed_but_its_base_url(run, server):
    asyncio.run(run(server, lambda: use_the_bot(server)))


def test_a_connection_is_cut_without_an_answer(server):
    fault = {"method": "getMe", "error_code": 0}
    with httpx.Client(base_url=server) as http:
        assert http.post("/sandbox/api/faults/", json=fault).status_code == 200

        with pytest.raises(httpx.RemoteProtocolError):
            http.post(f"/sandbox/telegram/bot{TOKEN}/getMe")
        assert http.post(f"/sandbox/telegram/bot{TOKEN}/getMe").json()["ok"] is True
