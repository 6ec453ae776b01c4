"""One run of the action, from inputs to outputs; it can be closed from wherever it stops."""

import contextlib
import dataclasses
import functools
import io
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

from redeploy.adapters.runner import Runner
from redeploy.core.asking import (
    Ask,
    AskContainers,
    AskDocument,
    AskForReasons,
    AskManifest,
    AskRevision,
    AskSmoke,
    AskTag,
    AskWhetherForked,
    OfRegistry,
    Probe,
    PutManifest,
    SendTrigger,
)
from redeploy.core.fetch import Fetch
from redeploy.core.inputs import InvalidInputsError, Workspace, given, parse, secrets_in
from redeploy.core.plan import Mode, OnFailure, Plan
from redeploy.core.reasons import Verdict
from redeploy.core.secret import redactor, safeguard
from redeploy.core.verdict import Conclusion
from redeploy.core.watch import Watch
from redeploy.deploy import redeploy
from redeploy.http.response import Exchange

if TYPE_CHECKING:  # what only reports is loaded after the first request
    from redeploy.adapters.registry import Registry
    from redeploy.core.attempt import Attempt
    from redeploy.core.manifest import Manifest
    from redeploy.core.outcome import Outcome
    from redeploy.core.registry import Trouble
    from redeploy.record import Recorder

_ISSUES = "https://github.com/leok974/redeploy-action/issues/new"


class Action:
    """One run."""

    def __init__(self, environment: Mapping[str, str], stream: TextIO) -> None:
        """Take the runner's channel; the masks are out before anything else."""
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # the runner reads UTF-8, whatever LANG says
        self._environment = environment
        self._runner = Runner(environment, stream)
        self._watch: Watch | None = None
        self._attempt: Attempt | None = None
        self._recorder: Recorder | None = None
        hidden = secrets_in(environment)
        self._redact = redactor(hidden)
        self._runner.mask(hidden, safeguard(hidden))

    def run(self) -> "Outcome":
        """Read the inputs, tell the story, and return what came of it."""
        from redeploy.adapters.http import check_certificate  # loads requests, which closing a run must not need

        try:
            plan = parse(self._environment, Workspace(self._runner.read_workspace, check_certificate))
        except InvalidInputsError as error:
            if given(self._environment)["mode"] == Mode.DOCTOR:
                from redeploy.core.diagnosis import unexamined

                return unexamined(error.problems)
            from redeploy.core.outcome import invalid

            return invalid(error.problems)
        if plan.warnings:  # one annotation, for the runner keeps ten
            self._runner.annotate("warning", "Inputs", "\n".join(plan.warnings))
        if plan.mode is Mode.DOCTOR:
            from redeploy.doctor import doctor

            self._runner.open_group("Examine the chain; nothing is changed")
            return doctor(plan, self._environment, self._redact, self._runner.say)
        from redeploy.adapters import service
        from redeploy.adapters.crew import Crew

        crew = Crew(_performer(plan), functools.partial(service.weigh, redact=self._redact))
        self._watch = Watch(plan, began=crew.now(), redact=self._redact)
        if plan.mode is Mode.ROLLBACK:
            from redeploy.rollback import put_back

            return put_back(
                self._watch,
                crew,
                random.random,
                self._runner,
                begun=self._attempting,
                under_way=self._under_way,
            )
        conclusion = redeploy(self._watch, crew, random.random, self._runner, self._under_way)
        from redeploy.core.outcome import outcome_of

        outcome = outcome_of(self._watch, conclusion, crew.now())
        if plan.on_failure is OnFailure.ROLLBACK:
            from redeploy.rollback import mend

            return mend(outcome, self._watch, crew, random.random, self._runner, begun=self._attempting)
        return outcome

    def cancelled(self, number: int) -> "Outcome":
        """Return what was known when a signal came."""
        triggered = self._watch is not None and self._watch.triggered is not None
        after = "after the trigger: the update may go on, and a run in mode `verify` tells what became of it"
        state = after if triggered else "before anything was triggered"
        if self._attempt is not None:
            state = "during the rollback: a run in mode `verify` tells what is live"
        conclusion = Conclusion(Verdict.CANCELLED, signal=number)
        return self._cut_short(conclusion, f"{signal.Signals(number).name} came {state}.")

    def defective(self, error: BaseException, *, bare: bool = False) -> "Outcome":
        """Return what was known when the action itself broke down; `bare` where it broke down over just that."""
        if self._runner.debugging:
            import traceback

            self._runner.say("".join(traceback.format_exception(error)))
        report = f"Run it again with debug logging, and report at {_ISSUES} what it says, without secrets."
        detail = f"{type(error).__name__} in the action itself. {report}"
        conclusion = Conclusion(Verdict.INTERNAL_ERROR)
        if bare:
            from redeploy.core.outcome import Outcome

            return Outcome(conclusion=conclusion, detail=detail)
        return self._cut_short(conclusion, detail)

    def close(self, outcome: "Outcome", hurried: Callable[[], bool] = lambda: False) -> int:
        """Write annotations, summary and outputs, and return the exit code; `hurried` tells whether a signal has come."""
        from redeploy.core import report, summary

        # All is made before anything is written, so that a defect in one of them leaves no half of a result behind.
        headline, annotations, outputs = report.headline(outcome), report.annotations(outcome), report.outputs(outcome)
        page = summary.page(outcome, summary.Repository.of(self._environment))
        self._runner.close_group()
        self._runner.say(headline)
        for annotation in annotations:
            self._runner.annotate(
                annotation.kind, annotation.title, annotation.message, file=annotation.file, line=annotation.line
            )
        self._runner.set_outputs(outputs)
        self._runner.write_summary(page)
        with self._at_no_cost():  # last, since it asks GitHub, and nothing may be lost over that
            if recorder := self._recording():
                recorder.end(outcome, hurried, self._runner)
        return outcome.conclusion.exit_code

    def _attempting(self, attempt: "Attempt") -> None:
        self._attempt = attempt

    def _under_way(self) -> None:
        """Let GitHub know, where that was asked for."""
        with self._at_no_cost():
            watch = (self._attempt and self._attempt.watch) or self._watch
            if (recorder := self._recording()) and watch is not None:
                from redeploy.core.outcome import outcome_of

                known = Conclusion(Verdict.UNPROVEN)  # as long as nothing else is known
                recorder.begin(outcome_of(watch, known, time.monotonic()))

    @contextlib.contextmanager
    def _at_no_cost(self) -> Iterator[None]:
        """Make a defect in telling GitHub a warning: it may cost no run its verdict."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - shown without its text, which may quote a secret
            told = f"{type(error).__name__} in the action itself, while a Deployment was to be written. Please report it at"
            self._runner.annotate("warning", "GitHub Deployment", f"{told} {_ISSUES}.")

    def _recording(self) -> "Recorder | None":
        if self._recorder is None and self._watch is not None and self._watch.plan.deployment_environment:
            from redeploy.record import Recorder

            self._recorder = Recorder(self._watch.plan, self._environment, self._redact)
        return self._recorder

    def _cut_short(self, conclusion: Conclusion, detail: str) -> "Outcome":
        from redeploy.core.outcome import Outcome, outcome_of

        if self._watch is None:
            return Outcome(conclusion=conclusion, detail=detail)
        now = time.monotonic()
        if self._attempt is not None:
            from redeploy.core.aftermath import cut_short

            return dataclasses.replace(cut_short(self._attempt, conclusion, now), detail=detail)
        return dataclasses.replace(outcome_of(self._watch, conclusion, now), detail=detail)


def _performer(plan: Plan) -> Callable[[Ask, float], Exchange]:
    """Return what carries out an ask within a number of seconds."""
    from redeploy.adapters import service, watchtower
    from redeploy.adapters.http import Http

    fetch = Http(headers=plan.headers, origins=plan.header_origins, ca_certificate=plan.ca_certificate).fetch
    from_registry = _from_registry(plan, fetch)

    def perform(ask: Ask, bound: float) -> Exchange:
        match ask:
            case Probe():
                return service.look(fetch, ask, timeout=bound)
            case AskDocument():
                return service.document(fetch, ask, timeout=bound)
            case AskSmoke():
                return service.smoke(fetch, ask, timeout=bound)
            case AskContainers():
                return watchtower.containers(fetch, plan.watchtower, timeout=bound)
            case AskForReasons():
                return watchtower.reasons(fetch, plan.watchtower, timeout=bound)
            case AskWhetherForked():
                return watchtower.ask_whether_forked(fetch, plan.watchtower, timeout=bound)
            case AskTag() | AskRevision() | AskManifest() | PutManifest():
                return from_registry(ask, bound)
            case SendTrigger():
                return watchtower.trigger(
                    fetch, plan.watchtower, connect=min(bound, plan.request_timeout), timeout=bound
                )

    return perform


def _from_registry(plan: Plan, fetch: Fetch) -> Callable[[OfRegistry, float], Exchange]:
    """Return what carries out an errand to the image's registry; all of it is loaded beside the first looks."""

    @functools.cache
    def registry() -> "Registry":
        from redeploy.adapters.registry import Registry

        return Registry(fetch, plan.access)

    def perform(ask: OfRegistry, bound: float) -> Exchange:
        from redeploy.core.lookup import FromRegistry

        image = plan.image
        if image is None:
            msg = "no image is named that could be looked up"
            raise AssertionError(msg)
        match ask:
            case AskTag(known, tag):
                found: Manifest | Trouble | str = registry().resolve(image.under(tag or image.tag), bound, known)
            case AskRevision(manifest):
                found = registry().revision(image, manifest, bound)
            case AskManifest(reference):
                found = registry().resolve(image.under(reference), bound)
            case PutManifest(manifest, tag):
                found = registry().put(image.under(tag or image.tag), manifest, bound)
        return FromRegistry(200, found=found)

    return perform
