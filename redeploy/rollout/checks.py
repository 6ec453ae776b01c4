"""The checks of a run: which are still to be made on the live build, and their results.

Times are monotonic seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from redeploy.contract.check_progress import _UNTRIED, Attempts, BuildChecks
from redeploy.contract.openapi import read_document
from redeploy.contract.results import MOST_EXPLAINED, MOST_LISTED, Finding, _instead, counted, named
from redeploy.contract.settings import Breaking, Checks
from redeploy.contract.smoke import TRIES, Again, Result, Smoke, found_again, judge
from redeploy.contract.snapshot import NO_OPERATIONS, Contract, Difference, NoContract, Read, difference
from redeploy.http.response import HttpResult
from redeploy.rollout.requests import Event, FetchDocument, SendSmoke
from redeploy.service.sample import Sample
from redeploy.settings.plan import Rate
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason

MOST_KEPT = 0.2
"""The share of a bucket that is kept for checks: looks find the new build the sooner the less it is."""

MOST_VERSIONS = 4
"""Values of a document's version from which on it is noise, as a build name's."""


@dataclass
class Checking:
    """What is known of a run's checks."""

    plan: Checks
    redact: Callable[[str], str] = str
    answer_before: HttpResult | None = None
    """What came of asking for the document before the trigger."""
    documents: list[tuple[float, Contract]] = field(default_factory=list)
    """What it promised since, and when that was asked for."""
    unfit_before: NoContract | None = None
    """Why there was none before the trigger; known once `before` was read."""
    unfit: NoContract | None = None
    """Why the last document was none."""
    unfit_in_turn: int = 0
    """How many times in turn it was none."""
    read_at: float = float("-inf")
    """When the last document was asked for that was one."""
    past_caches: bool = False
    """Whether a cache answered for the service where the document was asked for before the trigger."""
    round: BuildChecks | None = None
    once: dict[Smoke, Attempts] = field(default_factory=dict)
    """What came of requests that are not safe to send twice: one goes out once in a run, whatever becomes of its window."""
    began: float | None = None
    """When the first check was sent of which something is known."""
    answered: float = float("-inf")
    """When the last check was answered."""
    _findings: list[Finding] | None = None
    _of_contract: list[Finding] | None = None
    """Those that change with the document alone: near misses are looked for in thousands of paths."""
    _unanswered: list[Smoke] | None = None
    _compared: tuple[Contract, Contract, Difference] | None = None

    @cached_property
    def before(self) -> Contract | None:
        """What the service promised before the trigger; read when first wanted, which must not delay the trigger."""
        if self.answer_before is None or self.plan.document_url is None:
            return None
        found = read_document(self.answer_before, self.plan.document_url, redact=self.redact)
        self.answer_before = None
        if isinstance(found, NoContract):
            self.unfit_before = found
            return None
        return found

    @property
    def before_if_read(self) -> Contract | None:
        """The same, where it was read already."""
        found = self.__dict__.get("before")
        return found if isinstance(found, Contract) else None

    def take_before(self, request: FetchDocument, http_result: HttpResult) -> None:
        """Take in the document from before the trigger; what a cache answered is asked for once more, past caches."""
        if found_again(http_result) is Again.CACHED and not request.past_caches:
            self.past_caches = True
        else:
            self.answer_before = http_result

    @property
    def wants_fresh_before(self) -> bool:
        """Whether the document from before the trigger is to be asked for past caches."""
        return self.past_caches and self.answer_before is None

    @property
    def needs_document(self) -> bool:
        """Whether the live document can tell anything that is wanted."""
        # The one from before comes first: as long as it is not read, its bytes would lie beside the live one's.
        plan = self.plan
        compared = self.before is not None or (plan.reference and plan.breaking is not Breaking.IGNORE)
        return plan.document_url is not None and bool(compared or plan.insist_on_document or plan.smoke)

    @property
    def wanted(self) -> bool:
        """Whether anything is checked."""
        return self.needs_document or bool(self.plan.smoke)

    def tokens(self, rate: Rate) -> float:
        """Return the tokens to keep for checks within a window, beside those for its looks."""
        return min(MOST_KEPT * rate.burst, self.needs_document + len(self.plan.smoke))

    @property
    def contract(self) -> Contract | None:
        """What the live build promises, where its document could be read; that of a build before it tells nothing."""
        unread = self.round is not None and self.round.document.result is None
        return self.documents[-1][1] if self.documents and self.unfit is None and not unread else None

    @property
    def changed_since(self) -> float | None:
        """Since when the service promises something else than before the trigger."""
        since = None
        if self.unfit_in_turn >= TRIES or self.before is None:
            return None
        old = latest = self._identity(self.before)
        for sent, contract in self.documents:
            identity = self._identity(contract)
            if identity != latest:
                since = None if identity == old else sent
            latest = identity
        return since

    def _identity(self, contract: Contract) -> tuple[str, frozenset[tuple[str, str]]]:
        """Return what tells a contract from another: a version that has shown too many values is a clock or a counter."""
        known = [*([self.before] if self.before else []), *(each for _, each in self.documents)]
        noise = len({each.version for each in known}) >= MOST_VERSIONS
        return ("" if noise else contract.version), contract.identity[1]

    @property
    def reverted(self) -> bool:
        """Whether it promised something else, and again what it did before."""
        before = self.before
        other = [before is not None and self._identity(each) != self._identity(before) for _, each in self.documents]
        return any(other) and not other[-1]

    def enter(self, opened: float, names: Mapping[str, str], seen: Iterable[Sample] = ()) -> None:
        """Take note of the window in which checks are made, of the build names in it, and of the samples until now."""
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
        """Tell whether the document was asked for after the end of a window; one that is none is asked for twice."""
        return self.read_at >= ends or self.unfit_in_turn >= TRIES

    def done(self, opened: float | None) -> bool:
        """Tell whether all checks of the window that opened then are made."""
        if not self.wanted:
            return True
        if self.round is None or self.round.opened != opened:
            return False
        read = not self.needs_document or self.round.document.result is not None
        return read and not self.unanswered

    @property
    def only_unsafe_left(self) -> bool:
        """Whether nothing is to be asked any more but what may change something on the server."""
        read = self.round is not None and (not self.needs_document or self.round.document.result is not None)
        return read and bool(self.unanswered) and not any(each.safe for each in self.unanswered)

    def ask_document(self) -> FetchDocument | None:
        """Return the request for the live document, past caches where one has answered before; None: it has no address."""
        if self.plan.document_url is None or self.round is None:
            return None
        return FetchDocument(self.plan.document_url, self.round.document.past_caches, self.plan.smoke)

    def requests(self, *, unsafe: bool) -> Iterator[tuple[FetchDocument | SendSmoke, float]]:
        """Yield what is still to be asked, and from when on; some of it may be under way.

        `unsafe`: whether that includes what may change something on the server.
        """
        if self.round is None:
            return
        document = self.round.document
        if self.needs_document and document.result is None and (request := self.ask_document()):
            yield request, document.again_at
            return  # it says what the answers to the others must look like
        promises = self.contract.promises if self.contract else {}
        for smoke in self.unanswered:
            if not (smoke.safe or unsafe):
                continue
            progress = self._progress(smoke)
            yield SendSmoke(smoke, progress.past_caches, promises.get(smoke)), progress.again_at

    def take(self, event: Event, *, patient: bool, hopeless: bool = False) -> Result:
        """Take in an answer; `patient`: whether one that tells nothing is asked for again.

        `hopeless`: whether it asks for a wait that is too long.
        """
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
        """The smoke requests of which no result is known; asked for many times between two answers."""
        if self._unanswered is None:
            self._unanswered = [each for each in self.plan.smoke if self._progress(each).result is None]
        return self._unanswered

    @property
    def compared(self) -> Difference | None:
        """What is new and what is gone, beside the reference or else the document from before; None without two.

        Where a document was live before and is gone, every operation is.
        """
        base, live = self.base, self.contract or (NO_OPERATIONS if self.gone else None)
        if base is None or live is None:
            return None
        if self._compared is None or self._compared[0] is not base or self._compared[1] is not live:
            self._compared = base, live, difference(base, live)  # asked for many times between two documents
        return self._compared[2]

    @property
    def base(self) -> Contract | None:
        """What the live document is compared with."""
        return self.plan.reference.contract if self.plan.reference else self.before

    @property
    def gone(self) -> bool:
        """Whether a document was live before the trigger, and certainly none is now."""
        read = self.round is not None and self.round.document.result is not None
        return read and self.before is not None and self.unfit is not None and self.unfit.gone

    @property
    def unread(self) -> list[str]:
        """Where either side of a comparison, in harmless Markdown, does not show which operations it has."""
        sides = [each for each in (self.base, self.contract) if each is not None] if self.compared else []
        places = dict.fromkeys(str(operation) for each in sides for operation in each.unread)
        return [code(each, 80) for each in places]

    def findings(self) -> list[Finding]:
        """Return what the checks came to: the document, routes, operations that are gone, smoke."""
        if self._findings is None:
            if self._of_contract is None:
                self._of_contract = [*self._of_document(), *self._of_routes(), *self._of_difference()]
            self._findings = [*self._of_contract, *map(self.of_smoke, self.plan.smoke)]
        return self._findings

    def of_smoke(self, smoke: Smoke) -> Finding:
        """Return what one smoke request came to."""
        result = self._progress(smoke).result
        seen = result.seen if result else "not answered before the run ended"
        seen += f", compared only in part: {result.partial}" if result and result.partial else ""
        return Finding(
            Reason.SMOKE,
            f"smoke {smoke}",
            passed=result is not None and result.passed,
            told=f"{code(str(smoke))}: {seen}",
            seconds=result.seconds if result else None,
            only_warns=smoke.only_warns,
        )

    @property
    def partly_compared(self) -> list[str]:
        """What of the answers to smoke requests was compared only in part, and why; harmless Markdown."""
        made = [(each, self._progress(each).result) for each in self.plan.smoke]
        return [
            f"{code(str(each))} passed, and was compared only in part: {result.partial}"
            for each, result in made
            if result and result.passed and result.partial
        ]

    def failure(self, opened: float | None) -> Reason | None:
        """Return the first kind of check that failed in the window that opened then; one that was not made has failed."""
        if self.done(opened):
            return next((each.kind for each in self.findings() if each.failed), None)
        read = self.round is not None and self.round.document.result is not None
        if self.needs_document and not read and self._document_decides:
            return Reason.OPENAPI
        return Reason.SMOKE if any(not each.only_warns for each in self.plan.smoke) else None

    @property
    def _document_decides(self) -> bool:
        """Whether a missing document fails the run; where it is gone, `breaking-changes` decides about that."""
        return self.plan.insist_on_document or (
            self.plan.breaking is Breaking.FAIL and self.before is not None and not self.gone
        )

    def _progress(self, smoke: Smoke) -> Attempts:
        known = self.once if not smoke.safe else self.round.smoke if self.round else {}
        return known.get(smoke, _UNTRIED)

    def _of_document(self) -> list[Finding]:
        if not self.needs_document:
            return []
        contract = self.contract
        if contract is not None:
            version = f" of version {code(contract.version, 80)}" if contract.version else ""
            return [Finding(Reason.OPENAPI, "openapi", passed=True, told=f"{counted(contract.operations)}{version}")]
        if not self._document_decides:
            return []
        read = self.round is not None and self.round.document.result is not None
        why = self.unfit.why if read and self.unfit else "it was not read before the run ended"
        return [Finding(Reason.OPENAPI, "openapi", passed=False, told=f"There is no OpenAPI document: {why}")]

    def _of_routes(self) -> list[Finding]:
        contract = self.contract
        if contract is None:
            return []
        found, missing = [], 0
        for pattern in self.plan.required:
            there = any(map(pattern.matches, contract.operations))
            missing += not there
            told = "is there" if there else "is missing"
            unread = [] if there else [each for each in contract.unread if pattern.matches_path(each)]
            if unread:
                told = f"may be there: {named(unread)} {contract.unread[unread[0]]}"
            elif not there and missing <= MOST_EXPLAINED:
                told += f"; {_instead(pattern, contract)}"
            found.append(Finding(Reason.ROUTES, f"required-route {pattern}", there, f"{code(str(pattern))} {told}"))
        for pattern in self.plan.forbidden:
            matching = [each for each in contract.operations if pattern.forbids(each)]
            unread = [each for each in contract.unread if pattern.forbids(each)]
            told = f"is forbidden, and the document has {named(matching)}" if matching else "is not there"
            if unread and not matching:
                told = f"is forbidden, and may be there: {named(unread)} {contract.unread[unread[0]]}"
            passed = not matching and not unread
            found.append(Finding(Reason.ROUTES, f"forbidden-route {pattern}", passed, f"{code(str(pattern))} {told}"))
        return found

    def _of_difference(self) -> list[Finding]:
        compared = self.compared
        if compared is None or self.plan.breaking is not Breaking.FAIL:
            return []
        why = f", as the document is: {self.unfit.why}" if self.gone and self.unfit else ""
        gone = [
            Finding(
                Reason.BREAKING_CHANGE, f"removed-route {each}", passed=False, told=f"{code(str(each))} is gone{why}"
            )
            for each in compared.removed[:MOST_LISTED]
        ]
        if more := len(compared.removed) - len(gone):
            told = f"{more} more operations are gone"
            gone.append(Finding(Reason.BREAKING_CHANGE, f"removed-route ... and {more} more", passed=False, told=told))
        nothing = Finding(Reason.BREAKING_CHANGE, "breaking-changes", passed=True, told="no operation is gone")
        return gone or [nothing]
