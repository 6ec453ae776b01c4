"""The checks of a run: which of them are still to be done on the live build, and their results.

Times are monotonic seconds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from redeploy.contract.check_progress import _UNTRIED, Attempts, BuildChecks
from redeploy.contract.findings import of_difference, of_document, of_routes
from redeploy.contract.openapi import read_document
from redeploy.contract.results import Finding
from redeploy.contract.settings import Breaking
from redeploy.contract.smoke import TRIES, Again, Result, Smoke, found_again, judge
from redeploy.contract.snapshot import (
    Contract,
    Read,
)
from redeploy.http.response import Response
from redeploy.rollout.documents import Documents
from redeploy.rollout.requests import Event, FetchDocument, SendSmoke
from redeploy.service.sample import Sample
from redeploy.settings.plan import Rate
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason

MOST_KEPT = 0.2
"""The share of a bucket that is kept for checks; the smaller it is, the sooner looks find the new build."""


@dataclass
class Checking(Documents):
    """The checks of a run."""

    reports_contract: bool = False
    """Whether the document is read even if no check needs it, so that a later run can compare; nothing waits for it."""
    once: dict[Smoke, Attempts] = field(default_factory=dict)
    """Results of requests that are not safe to send twice: each is sent once in a run, even if its window breaks."""
    began: float | None = None
    """When the first check with a known result was sent."""
    answered: float = float("-inf")
    """When the last response to a check came."""
    _findings: list[Finding] | None = None
    _of_contract: list[Finding] | None = None
    """Findings that depend on the document only; kept, because near misses are searched in thousands of paths."""
    _unanswered: list[Smoke] | None = None

    @property
    def needs_document(self) -> bool:
        """Whether any check needs the live document."""
        # The document from before is read first here: otherwise its bytes would take memory beside those of the live one.
        plan = self.plan
        compared = self.known_before is not None or (plan.reference and plan.breaking is not Breaking.IGNORE)
        return plan.document_url is not None and bool(compared or plan.insist_on_document or plan.smoke)

    @property
    def _asks_document(self) -> bool:
        return self.needs_document or (self.reports_contract and self.plan.document_url is not None)

    @property
    def any_needed(self) -> bool:
        """Whether anything is checked."""
        return self.needs_document or bool(self.plan.smoke)

    def tokens(self, rate: Rate) -> float:
        """Return the tokens to keep for checks within a window, besides those for its looks."""
        return min(MOST_KEPT * rate.burst, self.needs_document + len(self.plan.smoke))

    def enter(self, opened: float, names: Mapping[str, str], seen: Iterable[Sample] = ()) -> None:
        """Record the window in which checks are done, the build names in it, and the samples so far."""
        if self.round is None or self.round.opened != opened:
            self._findings = self._unanswered = None
        if self.round is None:
            self.round = BuildChecks(opened=opened, names=names, document=Attempts(past_caches=self.past_caches))
        elif self.round.opened != opened:
            since = [each.names for each in seen if each.at >= self.round.opened]
            alone = all(each.get(path, name) == name for each in since for path, name in names.items())
            self.round = self.round.kept(opened, names, alone=alone)
            if self.round.document.result is None:
                self._of_contract = None
        else:
            self.round.names = names

    def closed(self, ends: float) -> bool:
        """Return whether the document was requested after the end of a window; an unfit one is requested twice."""
        return self.read_at >= ends or self.unfit_in_turn >= TRIES

    def done(self, opened: float | None) -> bool:
        """Return whether all checks of the window that opened at that time are done."""
        if not self.any_needed:
            return True
        if self.round is None or self.round.opened != opened:
            return False
        read = not self.needs_document or self.round.document.result is not None
        return read and not self.unanswered

    @property
    def only_unsafe_left(self) -> bool:
        """Whether the only requests left are those that may change something on the server."""
        read = self.round is not None and (not self.needs_document or self.round.document.result is not None)
        return read and bool(self.unanswered) and not any(each.safe for each in self.unanswered)

    def ask_document(self) -> FetchDocument | None:
        """Return the request for the live document, past caches if one has responded before; None if it has no address."""
        if self.plan.document_url is None or self.round is None:
            return None
        return FetchDocument(self.plan.document_url, self.round.document.past_caches, self.plan.smoke)

    def requests(self, *, unsafe: bool) -> Iterator[tuple[FetchDocument | SendSmoke, float]]:
        """Yield the requests that are still to be sent, and from when on; some of them may be under way.

        `unsafe`: whether to include those that may change something on the server.
        """
        if self.round is None:
            return
        document = self.round.document
        if self._asks_document and document.result is None and (request := self.ask_document()):
            yield request, document.again_at
            return  # the other requests are compared with what it promises
        promises = self.contract.promises if self.contract else {}
        for smoke in self.unanswered:
            if not (smoke.safe or unsafe):
                continue
            progress = self._progress(smoke)
            yield SendSmoke(smoke, progress.past_caches, promises.get(smoke)), progress.again_at

    def take(self, event: Event, deadline: float) -> Result:
        """Take in a response; an inconclusive one is requested again if that is possible before the `deadline`."""
        asked = event.http_result.retry_after if isinstance(event.http_result, Response) else None
        again_at = event.at + (asked or 0.0)
        patient, hopeless = again_at < deadline, event.at < deadline <= again_at
        self.began = event.sent if self.began is None else self.began
        self.answered, self._findings, self._unanswered = event.at, None, None
        if isinstance(event.request, FetchDocument):
            self._of_contract = None
        seconds, request = event.at - event.sent, event.request
        if isinstance(request, SendSmoke):
            result = judge(request.smoke, event.http_result, seconds, self.redact)
            result = replace(result, final=True) if hopeless and result.again is Again.THROTTLED else result
            step = self._progress(request.smoke).step(result, event.at, patient=patient)
            if not request.smoke.safe:
                self.once[request.smoke] = step
            elif self.round is not None and event.sent >= self.round.opened:
                self.round.smoke[request.smoke] = step
            return result
        if isinstance(event.http_result, Read):
            found = event.http_result.found
        else:
            found = read_document(event.http_result, self.plan.document_url or "", self.plan.smoke, self.redact)
        if isinstance(found, Contract):
            self.documents.append((event.sent, found))
            self.read_at, self.unfit, self.unfit_in_turn = event.sent, None, 0
        else:
            self.unfit, self.unfit_in_turn = found, self.unfit_in_turn + 1
        why = self.unfit.why if self.unfit else ""
        result = Result(passed=not why, seen=why, seconds=seconds, again=found_again(event.http_result))
        if self.round is not None and event.sent >= self.round.opened:
            self.round.document = self.round.document.step(result, event.at, patient=patient)
        return result

    @property
    def unanswered(self) -> list[Smoke]:
        """The smoke requests without a result; kept, because it is read many times between two responses."""
        if self._unanswered is None:
            self._unanswered = [each for each in self.plan.smoke if self._progress(each).result is None]
        return self._unanswered

    def findings(self) -> list[Finding]:
        """Return the results of the checks: document, routes, operations that are gone, smoke requests."""
        if self._findings is None:
            if self._of_contract is None:
                self._of_contract = list(self._findings_of_contract())
            self._findings = [*self._of_contract, *map(self.of_smoke, self.plan.smoke)]
        return self._findings

    def of_smoke(self, smoke: Smoke) -> Finding:
        """Return the result of one smoke request."""
        result = self._progress(smoke).result
        seen = result.seen if result else "not answered before the run ended"
        seen += f", compared only in part: {result.partial}" if result and result.partial else ""
        return Finding(
            Reason.SMOKE,
            f"smoke {smoke}",
            passed=result is not None and result.passed,
            sentence=f"{code(str(smoke))}: {seen}",
            seconds=result.seconds if result else None,
            only_warns=smoke.only_warns,
        )

    @property
    def partly_compared(self) -> list[str]:
        """Which responses to smoke requests were compared only in part, and why; harmless Markdown."""
        made = [(each, self._progress(each).result) for each in self.plan.smoke]
        return [
            f"{code(str(each))} passed, and was compared only in part: {result.partial}"
            for each, result in made
            if result and result.passed and result.partial
        ]

    def failure(self, opened: float | None) -> Reason | None:
        """Return the first kind of check that failed in the window that opened then; missing checks count as failed."""
        if self.done(opened):
            return next((each.kind for each in self.findings() if each.failed), None)
        read = self.round is not None and self.round.document.result is not None
        if self.needs_document and not read and self._document_decides:
            return Reason.OPENAPI
        return Reason.SMOKE if any(not each.only_warns for each in self.plan.smoke) else None

    @property
    def _document_decides(self) -> bool:
        """Whether a missing document fails the run; if it is gone, `breaking-changes` decides that."""
        return self.plan.insist_on_document or (
            self.plan.breaking is Breaking.FAIL and self.before is not None and not self.gone
        )

    def _progress(self, smoke: Smoke) -> Attempts:
        known = self.once if not smoke.safe else self.round.smoke if self.round else {}
        return known.get(smoke, _UNTRIED)

    def _findings_of_contract(self) -> Iterator[Finding]:
        contract, compared = self.contract, self.compared
        if self.needs_document and (contract is not None or self._document_decides):
            read = self.round is not None and self.round.document.result is not None
            why = self.unfit.why if read and self.unfit else "it was not read before the run ended"
            yield of_document(contract, why)
        if contract is not None:
            yield from of_routes(self.plan, contract)
        if compared is not None and self.plan.breaking is Breaking.FAIL:
            yield from of_difference(
                compared, f", as the document is: {self.unfit.why}" if self.gone and self.unfit else ""
            )
