"""One Update in, a view in a worker thread, its screen out.

Everything asynchronous is here and in what it calls; views know nothing of it.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

from telegram import Bot, CallbackQuery, ChatMemberUpdated, InlineQuery, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter
from telegram.ext import ContextTypes

from telegram_bot import work
from telegram_bot.answers import ANSWER_AFTER, CallbackAnswer
from telegram_bot.ordering import LineFull, PersonLines
from telegram_bot.screens import Screen
from telegram_bot.sender import send_screen
from telegram_bot.updates import Incoming, profile_of, read_update

logger = logging.getLogger(__name__)

# Runs a synchronous function off the event loop: a thread pool; in tests the test's own thread.
Runner = Callable[[Callable[[], Any]], Awaitable[Any]]


class Shell:
    def __init__(
        self,
        *,
        dispatch: work.Dispatch,
        run: Runner,
        answer_after: float = ANSWER_AFTER,
        lines: PersonLines | None = None,
    ) -> None:
        self._dispatch = dispatch
        self._run = run
        self._answer_after = answer_after
        self._lines = lines or PersonLines()

    async def receive(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Handle one update of any kind. Raises nothing: there is nobody above to tell."""
        async with CallbackAnswer(update.callback_query, after=self._answer_after) as answer:
            try:
                await self._handle(update, context.bot, answer)
            except LineFull:
                logger.warning("too many updates of one person", extra=_origin(update))
            except Exception:
                logger.exception("update not handled", extra=_origin(update))

    async def _handle(self, update: Update, bot: Bot, answer: CallbackAnswer) -> None:
        if update.my_chat_member is not None:
            await self._note_membership(update.my_chat_member)
        incoming = read_update(update, bot.username)
        if incoming is None:
            return
        async with self._lines.turn(incoming.profile.id):
            if update.inline_query is not None:
                await self._answer_inline(incoming, update.inline_query)
            else:
                await self._serve(incoming, update.callback_query, bot, answer)

    async def _serve(
        self, incoming: Incoming, query: CallbackQuery | None, bot: Bot, answer: CallbackAnswer
    ) -> None:
        try:
            screen = await self._view(incoming)
            if screen is not None:
                await self._show(incoming, screen, query, bot, answer)
        except Forbidden:
            logger.info("the customer blocked the bot", extra=_context(incoming))
            await self._run(partial(work.note_membership, incoming.profile, is_blocked=True))
        except Exception as error:
            logger.exception("update failed", extra=_context(incoming))
            if incoming.is_private and not _is_away(error):
                apology = await self._run(partial(work.apology, incoming.profile))
                await send_screen(bot, incoming.chat_id, apology, None)

    async def _view(self, incoming: Incoming) -> Screen | None:
        view = partial(work.handle, incoming, self._dispatch)
        screen: Screen | None = await self._run(view)
        return screen

    async def _show(
        self,
        incoming: Incoming,
        screen: Screen,
        query: CallbackQuery | None,
        bot: Bot,
        answer: CallbackAnswer,
    ) -> None:
        is_told = answer.give(screen.notice, is_alert=screen.is_alert)
        if screen.notice and not is_told and not screen.text:
            # The button was answered when its time was up: what was to be its toast comes late.
            screen = replace(screen, text=escape(screen.notice, quote=False), replaces=False)
        await send_screen(bot, incoming.chat_id, screen, query.message if query else None)

    async def _answer_inline(self, incoming: Incoming, query: InlineQuery) -> None:
        try:
            await self._view(incoming)
        finally:
            await query.answer([], cache_time=5)

    async def _note_membership(self, change: ChatMemberUpdated) -> None:
        """In a private chat: the person blocked the bot, or let it in again."""
        if change.chat.type != ChatType.PRIVATE:
            return
        is_blocked = change.new_chat_member.status == ChatMemberStatus.BANNED
        person = profile_of(change.from_user)
        async with self._lines.turn(person.id):
            await self._run(partial(work.note_membership, person, is_blocked=is_blocked))


def _is_away(error: Exception) -> bool:
    """Tell whether Telegram cannot be reached just now: an apology would not arrive either."""
    if isinstance(error, BadRequest):  # a NetworkError by inheritance only
        return False
    return isinstance(error, NetworkError | RetryAfter)


def _origin(update: Update) -> dict[str, object]:
    person = update.effective_user
    return {"update": update.update_id, "customer": person.id if person else None}


def _context(incoming: Incoming) -> dict[str, object]:
    return {
        "update": incoming.update_id,
        "customer": incoming.profile.id,
        "path": incoming.path or incoming.command or incoming.kind.value,
    }
