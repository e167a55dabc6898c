"""Our buttons and keyboards as Telegram's objects."""

from telegram import (
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from telegram_bot.screens import Button, Buttons, Screen

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


def inline_keyboard(buttons: Buttons) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return InlineKeyboardMarkup([[_button(button) for button in row] for row in buttons])


def markup_of(screen: Screen) -> Markup | None:
    if screen.reply_keyboard is None:
        return inline_keyboard(screen.buttons)
    if not screen.reply_keyboard:
        return ReplyKeyboardRemove()
    return ReplyKeyboardMarkup(screen.reply_keyboard, resize_keyboard=True, is_persistent=True)


def _button(button: Button) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        button.text,
        callback_data=button.path or None,
        url=button.url or None,
        copy_text=CopyTextButton(button.copy) if button.copy else None,
    )
