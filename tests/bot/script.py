"""The bot with one view that the test replaces as it goes."""

from collections.abc import Callable

from asgiref.sync import async_to_sync
from telegram import Update

from telegram_bot.requests import BotRequest
from telegram_bot.screens import Button, Screen
from telegram_bot.work import Dispatch
from tests.bot.harness import BotHarness, Chat

BotWith = Callable[[Dispatch], BotHarness]
MENU = Screen("Menu", buttons=((Button("Menu", "/menu"),),))


class Script:
    """What the views do: one function, that the test replaces as it goes."""

    def __init__(self, bot_with: BotWith) -> None:
        self.view: Callable[[BotRequest], Screen | None] = lambda request: MENU
        self.seen: list[BotRequest] = []
        self.bot: BotHarness = bot_with(self._dispatch)
        self.sari: Chat = self.bot.person("Sari")
        self.sari.send("/start")
        self.seen.clear()

    def _dispatch(self, request: BotRequest) -> Screen | None:
        self.seen.append(request)
        return self.view(request)

    def answers(self) -> int:
        return self.bot.request.calls.count("answerCallbackQuery")


def process(bot: BotHarness, update: Update) -> None:
    async_to_sync(bot.application.process_update)(update)
