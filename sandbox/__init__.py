"""Stand-ins for the Telegram Bot API and the payment gateway. Imports nothing of the shop."""
