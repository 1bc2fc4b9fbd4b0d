"""Makes a skipped test loud, and where TRABECULA_FAIL_ON_SKIP is set, as in CI, a failure."""

import os
from collections.abc import Sequence

import pytest


class NoSkips:
    """Collects what was skipped while a session runs."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test was skipped, by a mark or from inside."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole module was skipped, as by importorskip."""
        if report.skipped:
            self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, Sequence) else report.longrepr
        self.skipped.append(f"{report.nodeid}: {str(reason).removeprefix('Skipped: ')}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the session where a skip is not allowed."""
        if self.skipped and forbidden():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name every skipped test and what this machine lacks for it."""
        if not self.skipped:
            return
        verdict = "NOT RUN, which counts as failed here" if forbidden() else "NOT RUN on this machine"
        terminalreporter.section(f"{len(self.skipped)} {verdict}", sep="!", yellow=True, bold=True)
        for line in self.skipped:
            terminalreporter.write_line(line, yellow=True)


def forbidden() -> bool:
    """Whether a skip fails the session."""
    return os.environ.get("TRABECULA_FAIL_ON_SKIP", "") not in ("", "0")


def pytest_configure(config: pytest.Config) -> None:
    """One collector a session."""
    config.pluginmanager.register(NoSkips(), "no-skips-collector")
