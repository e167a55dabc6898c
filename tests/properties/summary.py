"""Shows what the random runs did at the end of pytest's output, wherever they ran."""

from typing import Any

PROPERTY = "random runs"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for reports in list(terminalreporter.stats.values()):
        for report in reports:
            for name, text in getattr(report, "user_properties", []):
                if name == PROPERTY and report.when == "call":
                    terminalreporter.section(f"{PROPERTY}: {report.nodeid.rpartition('::')[2]}")
                    terminalreporter.line(text)
