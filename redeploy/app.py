"""One run of the action, from inputs to outputs; it can be closed wherever it stops."""

import dataclasses
import functools
import io
import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

from redeploy import ISSUES
from redeploy.github.runner import Runner
from redeploy.rollout import perform
from redeploy.rollout.requests import opening
from redeploy.rollout.workers import Workers
from redeploy.settings.defaults import given, secrets_in
from redeploy.settings.inputs import parse
from redeploy.settings.plan import Mode, OnFailure, Plan, RunPlan
from redeploy.settings.reading import InvalidInputsError, Workspace
from redeploy.text.secret import Secret, redactor, safeguard
from redeploy.verdicts import Verdict

if TYPE_CHECKING:  # all of this is loaded while the first request is on its way
    from redeploy.decision.verdict import Conclusion
    from redeploy.fleet.run import Fleet
    from redeploy.github.reports import Reports
    from redeploy.report.results import OneResult, Result, RunResult
    from redeploy.rollback.attempt import Attempt
    from redeploy.rollout.service_state import ServiceState


class Run:
    """One run."""

    def __init__(self, environment: Mapping[str, str], stream: TextIO) -> None:
        """Open the runner's channel; masks are written before anything else."""
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # the runner reads UTF-8, whatever LANG says
        self._environment = environment
        self._runner = Runner(environment, stream)
        self._chosen: Plan | None = None
        self._watch: ServiceState | None = None
        self._attempt: Attempt | None = None
        self._fleet: Fleet | None = None
        self._done: dict[str, OneResult] = {}
        """Results of services that run one after the other, by their keys."""
        self._left: list[Plan] = []
        """The services that have not ended."""
        self._redact: Callable[[str], str] = str
        self._hide(())

    def run(self) -> "Result":
        """Read the inputs, do what they say, and return the result."""
        from redeploy.http.client import check_certificate  # loads requests, which closing a run must not need

        try:
            run = self._plan(Workspace(self._runner.read_workspace, check_certificate))
        except InvalidInputsError as error:
            if given(self._environment)["mode"] == Mode.DOCTOR:
                from redeploy.doctor.diagnosis import unexamined

                return unexamined(error.problems)
            from redeploy.report.results import InvalidInputs

            return InvalidInputs(error.problems)
        self._chosen = run.services[0]
        if run.warnings:  # in one annotation, because the runner keeps ten
            self._runner.annotate("warning", "Inputs", "\n".join(run.warnings))
        if len(run.services) > 1:
            return self._several(run)
        return self._one(dataclasses.replace(run.services[0], warnings=run.warnings))

    def _several(self, run: RunPlan) -> "Result":
        """Run for several services: in parallel, or one after the other in modes doctor and rollback."""
        from redeploy.fleet.run import Fleet

        if run.mode in (Mode.DOCTOR, Mode.ROLLBACK):
            from redeploy.report.several.whole import whole

            self._left = list(run.services)
            while self._left:
                self._watch = self._attempt = None
                self._runner.about = self._left[0].key
                result = self._one(self._left[0])
                self._done[self._left.pop(0).key] = result
            return whole(self._done)
        performs = {each.key: perform.performer(each) for each in run.services}
        evaluate = functools.partial(perform.evaluate, redact=self._redact)
        workers = Workers(performs[run.services[0].key], evaluate, performs)
        self._fleet = Fleet(run, random.random, self._redact, self._concluded)
        return self._fleet.run(workers, self._runner, self._under_way)

    def _one(self, plan: Plan) -> "OneResult":
        """Run for one service."""
        if plan.mode is Mode.DOCTOR:
            from redeploy.doctor.run import doctor

            self._runner.open_group("Examine the chain; nothing is changed")
            return doctor(plan, self._environment, self._redact, self._runner.say)
        workers = Workers(perform.performer(plan), functools.partial(perform.evaluate, redact=self._redact))
        began, opened = workers.now(), opening(plan)
        for request in opened:
            workers.start(request, began, plan.request_timeout)
        from redeploy.report import annotations, outputs, summary  # noqa: F401 - the end of a run need not load them
        from redeploy.rollout.run import redeploy  # all that reads responses is loaded while these are on their way
        from redeploy.rollout.service_state import ServiceState

        self._watch = ServiceState(plan, began=began, redact=self._redact)
        if plan.mode is Mode.ROLLBACK:
            from redeploy.rollback.run import put_back

            given_to_both = (self._watch, workers, random.random, self._runner)
            return put_back(*given_to_both, begun=self._attempting, under_way=self._under_way)
        conclusion = redeploy(self._watch, workers, random.random, self._runner, self._under_way, opened=opened)
        result = self._concluded(self._watch, conclusion, workers.now())
        if plan.on_failure is OnFailure.ROLLBACK:
            from redeploy.rollback.run import undo

            return undo(result, self._watch, workers, random.random, self._runner, begun=self._attempting)
        return result

    def _concluded(self, state: "ServiceState", conclusion: "Conclusion", now: float) -> "RunResult":
        """Return the result of a service, compared with its branch if the inputs name one."""
        if state.plan.branch and conclusion.verdict in (Verdict.VERIFIED, Verdict.UNPROVEN, Verdict.CHECKS_FAILED):
            from redeploy.github.branch import compared  # few runs name a branch

            return compared(state, self._environment, self._runner, now, wall=time.time, pause=time.sleep)
        from redeploy.report.collect import result_of

        return result_of(state, conclusion, now)

    def _hide(self, more: tuple[Secret, ...]) -> None:
        """Mask the secrets of the inputs and `more`; from then on no text shows one."""
        hidden = (*secrets_in(self._environment), *more)
        self._redact = redactor(hidden)
        self._runner.mask(more or hidden, safeguard(hidden))

    def _plan(self, workspace: Workspace) -> RunPlan:
        """Return the run that the inputs make, or the file that they name.

        Raises:
            InvalidInputsError: with every problem of both.
        """
        if not given(self._environment)["config"]:
            return RunPlan.of_one(parse(self._environment, workspace))
        from redeploy.settings.config.load import load

        loaded = load(self._environment, self._runner.workspace_bytes, workspace)
        if loaded.secrets:
            self._hide(loaded.secrets)
        return loaded.whole

    def cancelled(self, number: int) -> "Result":
        """Return what was known when a signal came."""
        watched = self._fleet or self._watch
        triggered = watched is not None and watched.triggered is not None
        after = "after the trigger: the update may continue, and a run in mode `verify` shows how it ended"
        state = after if triggered else "before anything was triggered"
        if self._attempt is not None:
            state = "during the rollback: a run in mode `verify` shows what is live"
        return self._cut_short(Verdict.CANCELLED, f"{signal.Signals(number).name} came {state}.", number)

    def defective(self, error: BaseException, *, bare: bool = False) -> "Result":
        """Return what was known when the action itself broke down; `bare`: without the services, as that broke down."""
        if self._runner.debugging:
            import traceback

            self._runner.say("".join(traceback.format_exception(error)))
        outputs = f"Run it again with debug logging, and report at {ISSUES} what it says, without secrets."
        cause = f"{type(error).__name__} in the action itself. {outputs}"
        return self._cut_short(Verdict.INTERNAL_ERROR, cause, bare=bare)

    def close(self, result: "Result", hurried: Callable[[], bool] = lambda: False) -> int:
        """Write annotations, summary and outputs, and return the exit code; `hurried` says whether a signal has come."""
        from redeploy.report import annotations
        from redeploy.report.outputs import outputs
        from redeploy.report.several.forms import forms
        from redeploy.report.summary import Repository

        # Everything is made before anything is written: a defect in one part must not leave half a result.
        headline, shown, page = forms(result, Repository.of(self._environment))
        values = outputs(result)
        self._runner.close_group()
        self._runner.say(headline)
        for line in annotations.without_room(result):
            self._runner.say(line)
        for annotation in shown:
            self._runner.annotate(
                annotation.kind,
                annotation.title,
                annotation.message,
                file=annotation.file,
                line=annotation.line,
                column=annotation.column,
            )
        self._runner.set_outputs(values)
        self._runner.write_summary(page)
        if reports := self._reports:  # last, because a failure at GitHub must not lose anything else
            started = self._watch is not None or self._fleet is not None
            reports.end(result, hurried, started=started, now=time.time())
        return result.conclusion.exit_code

    def _attempting(self, attempt: "Attempt") -> None:
        self._attempt = attempt

    def _under_way(self) -> None:
        """Create the Deployment, if the inputs ask for one."""
        if reports := self._reports:
            reports.begin(self._so_far)

    def _so_far(self) -> "Result":
        from redeploy.decision.verdict import Conclusion
        from redeploy.report.collect import result_of
        from redeploy.report.results import RunResult

        known = Conclusion(Verdict.UNPROVEN)  # until more is known
        if self._fleet is not None:
            return self._fleet.result(time.monotonic(), known)
        state = (self._attempt and self._attempt.state) or self._watch
        return result_of(state, known, time.monotonic()) if state else RunResult(conclusion=known)

    @functools.cached_property
    def _reports(self) -> "Reports | None":
        plan = self._chosen
        if plan is None or not (plan.deployment_environment or plan.issue_on_failure):
            return None
        from redeploy.github.reports import Reports

        return Reports(plan, self._environment, self._runner, self._redact)

    def _cut_short(self, verdict: Verdict, cause: str, number: int = 0, *, bare: bool = False) -> "Result":
        from redeploy.decision.verdict import Conclusion
        from redeploy.report.results import RunResult

        now, conclusion = time.monotonic(), Conclusion(verdict, signal=number)
        if bare:
            return RunResult(conclusion=conclusion).caused_by(cause)
        from redeploy.report.collect import result_of

        if self._fleet is not None:
            return self._fleet.result(now, conclusion, cause)
        if self._done and self._left:
            from redeploy.report.several.forms import cut_short as cut_all

            return cut_all(self._done, [each.key for each in self._left], conclusion, cause)
        if self._attempt is not None:
            from redeploy.rollback.collect import cut_short

            return cut_short(self._attempt, conclusion, now).caused_by(cause)
        known = result_of(self._watch, conclusion, now) if self._watch else RunResult(conclusion=conclusion)
        return known.caused_by(cause)
