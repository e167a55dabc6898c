"""Django looks for models here; each stand-in keeps its own."""

from sandbox.pakasir.models import *  # noqa: F403
from sandbox.telegram.models import *  # noqa: F403
