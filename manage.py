#!/usr/bin/env python
"""Operators' entry point."""

import os
import sys
from importlib import import_module

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    module = os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quickcart.settings")
    try:
        # Before Django does: some of its commands would go on without usable settings.
        import_module(module)
    except ImproperlyConfigured as error:
        sys.exit(f"QuickCart cannot start:\n{error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
