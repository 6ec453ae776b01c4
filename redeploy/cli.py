"""The edge: signals first, then masks, then everything else. The one place that turns exceptions into exit codes."""

import io
import os
import signal
import sys
from collections.abc import Callable
from functools import cached_property
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a signal in the first milliseconds must find its handler, so nothing is imported before it is set
    from redeploy.adapters.runner import Runner
    from redeploy.core.asking import Ask
    from redeploy.core.exchange import Exchange
    from redeploy.core.outcome import Outcome
    from redeploy.core.plan import Plan
    from redeploy.core.verdict import Conclusion
    from redeploy.core.watch import Watch

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class CancelledError(BaseException):
    """The runner cancels the job. Not an `Exception`, so that nothing on the way takes it for a failure of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def main() -> int:
    """Run the action in this process's environment and return its exit code."""
    for each in _SIGNALS:
        signal.signal(each, _cancel)
    run = _Run()
    try:
        outcome = run.go()
    except CancelledError as cancelled:
        _ignore_signals()
        outcome = run.cut_short(cancelled)
    except Exception as error:  # noqa: BLE001 - a traceback may quote a secret, so none is shown unless it was asked for
        _ignore_signals()
        outcome = run.broken(error)
    _ignore_signals()
    return run.close(outcome)


def _cancel(number: int, _frame: FrameType | None) -> None:
    raise CancelledError(number)


def _ignore_signals() -> None:
    """Let nothing interrupt the end: it takes milliseconds, and a signal would lose the outputs."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)


class _Run:
    """One run, which can be closed from wherever it stops."""

    def __init__(self) -> None:
        self._watch: Watch | None = None

    @cached_property
    def _runner(self) -> "Runner":
        """The runner's channel; whoever asks for it first, the masks are out before anything else."""
        from redeploy.adapters.runner import Runner
        from redeploy.core.inputs import secrets_in
        from redeploy.core.secret import redactor

        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # the runner reads UTF-8, whatever LANG says
        hidden = secrets_in(os.environ)
        runner = Runner(os.environ, sys.stdout)
        runner.mask(hidden, redactor(hidden))
        return runner

    def go(self) -> "Outcome":
        """Read the inputs and tell the story."""
        from redeploy.adapters.http import check_certificate
        from redeploy.core.inputs import InvalidInputsError, Workspace, parse

        try:
            plan = parse(os.environ, Workspace(self._runner.read_workspace, check_certificate))
        except InvalidInputsError as error:
            from redeploy.core.outcome import invalid

            return invalid(error.problems)
        return self._tell(plan)

    def _tell(self, plan: "Plan") -> "Outcome":
        import random

        from redeploy.adapters.crew import Crew
        from redeploy.core.secret import redactor
        from redeploy.core.watch import Watch
        from redeploy.deploy import redeploy

        crew = Crew(_performer(plan))
        self._watch = Watch(plan, began=crew.now(), redact=redactor(plan.secrets))
        conclusion = redeploy(self._watch, crew, random.random, self._runner)
        from redeploy.core.outcome import (
            outcome_of,  # only now: nothing that reports is loaded before the first request
        )

        return outcome_of(self._watch, conclusion, crew.now())

    def cut_short(self, cancelled: CancelledError) -> "Outcome":
        """Say what was known when the job was cancelled."""
        from redeploy.core.reasons import Verdict
        from redeploy.core.verdict import Conclusion

        triggered = self._watch is not None and self._watch.triggered is not None
        state = (
            "after the trigger: the update may go on on the server" if triggered else "before anything was triggered"
        )
        return self._unfinished(Conclusion(Verdict.CANCELLED, signal=cancelled.number), f"{cancelled} came {state}.")

    def broken(self, error: Exception) -> "Outcome":
        """Say that the action itself has a defect."""
        from redeploy.core.reasons import Verdict
        from redeploy.core.verdict import Conclusion

        if self._runner.debugging:
            import traceback

            self._runner.say("".join(traceback.format_exception(error)))
        detail = (
            f"{type(error).__name__} in the action itself. Run it again with debug logging, and report what it says, "
            "without secrets, at https://github.com/leok974/redeploy-action/issues/new"
        )
        return self._unfinished(Conclusion(Verdict.INTERNAL_ERROR), detail)

    def _unfinished(self, conclusion: "Conclusion", detail: str) -> "Outcome":
        import dataclasses
        import time

        from redeploy.core.outcome import Outcome, outcome_of

        if self._watch is None:
            return Outcome(conclusion=conclusion, detail=detail)
        return dataclasses.replace(outcome_of(self._watch, conclusion, time.monotonic()), detail=detail)

    def close(self, outcome: "Outcome") -> int:
        """Write annotations, summary and outputs."""
        from redeploy.core import report

        runner = self._runner
        runner.close_group()
        runner.say(report.headline(outcome))
        for annotation in report.annotations(outcome):
            runner.annotate(annotation.kind, annotation.title, annotation.message)
        runner.write_summary(report.summary(outcome))
        runner.set_outputs(report.outputs(outcome))
        return outcome.conclusion.exit_code


def _performer(plan: "Plan") -> "Callable[[Ask, float], Exchange]":
    """Return what carries out an ask within a number of seconds."""
    from redeploy.adapters import service, watchtower
    from redeploy.adapters.http import Http
    from redeploy.core.asking import AskContainers, AskForReasons, AskWhetherForked, Probe, SendTrigger

    fetch = Http(headers=plan.headers, origins=plan.header_origins, ca_certificate=plan.ca_certificate).fetch

    def perform(ask: "Ask", bound: float) -> "Exchange":
        match ask:
            case Probe():
                return service.look(fetch, ask, timeout=bound)
            case AskContainers():
                return watchtower.containers(fetch, plan.watchtower, timeout=bound)
            case AskForReasons():
                return watchtower.reasons(fetch, plan.watchtower, timeout=bound)
            case AskWhetherForked():
                return watchtower.ask_whether_forked(fetch, plan.watchtower, timeout=bound)
            case SendTrigger():
                return watchtower.trigger(
                    fetch, plan.watchtower, connect=min(bound, plan.request_timeout), timeout=bound
                )

    return perform
