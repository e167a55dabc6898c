#!/usr/bin/env python
"""Operators' entry point."""

import os
import sys
from importlib import import_module

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from quickcart import embedded


def main() -> None:
    module = os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quickcart.settings")
    try:
        # Before Django does: some of its commands would go on without usable settings.
        import_module(module)
    except ImproperlyConfigured as error:
        sys.exit(f"QuickCart cannot start:\n{error}")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        settings = import_module(module)
        is_embedded = not settings.env.text("DATABASE_URL")
        reason = embedded.not_running(settings.QUICKCART_DATA_DIR) if is_embedded else ""
        sys.exit(reason or f"The database does not answer: {str(error).strip()}")


if __name__ == "__main__":
    main()
