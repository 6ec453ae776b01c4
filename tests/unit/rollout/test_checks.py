"""Which checks are still to be made, and the results of those that were."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from redeploy.contract.check_progress import PAUSE
from redeploy.contract.reference import Reference, read
from redeploy.contract.results import MOST_EXPLAINED, MOST_LISTED, named
from redeploy.contract.routes import Operation, parse_pattern
from redeploy.contract.settings import Breaking, Checks
from redeploy.contract.smoke import Judged, Smoke
from redeploy.contract.snapshot import Contract, Read
from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.report.check_results import checked, facts_of_checks
from redeploy.report.facts import About
from redeploy.rollout.checks import Checking
from redeploy.rollout.requests import Event, FetchDocument, SendSmoke
from redeploy.verdicts import Reason
from tests.unit.factories import NEW, OLD, page, reply

URL = "https://api.example.com/openapi.json"
ONE, TWO = (Smoke("GET", f"/s/{each}", "2xx", f"https://api.example.com/s/{each}") for each in (1, 2))
UNSAFE = Smoke("POST", "/purge", "2xx", "https://api.example.com/purge")
NAMES = {"commit": NEW}


def document(*routes: str, version: str = "1") -> HttpResult:
    paths: dict[str, dict[str, Any]] = {}
    for route in routes or ("GET /api/ready", "POST /api/items"):
        method, path = route.split()
        paths.setdefault(path, {})[method.lower()] = {}
    return reply(200, {"openapi": "3.1.0", "info": {"title": "t", "version": version}, "paths": paths})


def checks(**given: Any) -> Checks:  # noqa: ANN401 - the fields of Checks
    for name in ("required", "forbidden"):
        given[name] = tuple(map(parse_pattern, given.get(name, ())))
    return Checks(document_url=given.pop("document_url", URL), **given)


def reference(*routes: str) -> Reference:
    lines = [f"  {route.split()[1]}:\n    {route.split()[0].lower()}: {{}}\n" for route in routes]
    return read("docs/openapi.yaml", "openapi: 3.0.0\npaths:\n" + "".join(lines))


class CheckRun:
    """The checks of a build, to which a test feeds responses one by one."""

    def __init__(self, before: HttpResult | None = None, **given: Any) -> None:  # noqa: ANN401 - the fields of Checks
        self.checking = Checking(checks(**given), response_before=before)

    def enter(self, opened: float = 10.0, names: dict[str, str] | None = None) -> "CheckRun":
        self.checking.enter(opened, NAMES if names is None else names)
        return self

    def document(
        self, http_result: HttpResult, sent: float = 10.1, took: float = 0.1, *, patient: bool = True
    ) -> "CheckRun":
        request = FetchDocument(URL)
        self.checking.take(
            Event(request=request, http_result=http_result, sent=sent, at=sent + took, wall=0.0),
            inf if patient else 0.0,
        )
        return self

    def smoke(
        self, smoke: Smoke, http_result: HttpResult, sent: float = 10.3, took: float = 0.1, *, patient: bool = True
    ) -> "CheckRun":
        request = SendSmoke(smoke)
        self.checking.take(
            Event(request=request, http_result=http_result, sent=sent, at=sent + took, wall=0.0),
            inf if patient else 0.0,
        )
        return self

    @property
    def requests(self) -> list[tuple[str, float]]:
        """The requests still to be sent, and from when on."""
        requests = self.checking.requests(unsafe=True)
        return [
            ("document" if isinstance(request, FetchDocument) else request.smoke.target, at) for request, at in requests
        ]

    @property
    def findings(self) -> list[tuple[str, str, bool, str]]:
        return [(each.kind.value, each.check, each.passed, each.sentence) for each in self.checking.findings()]

    @property
    def signs(self) -> tuple[float | None, bool]:
        """Since when the contract differs, and whether it has changed back."""
        return self.checking.changed_since(operations=True), self.checking.reverted(operations=True)

    def failure(self, opened: float = 10.0) -> Reason | None:
        return self.checking.failure(opened)


# which checks are needed


@pytest.mark.parametrize(
    ("settings", "before", "document_needed", "wanted"),
    [
        pytest.param({}, None, False, False, id="nothing"),
        pytest.param({}, reply(404), False, False, id="no document before"),
        pytest.param({}, page(200), False, False, id="a page before"),
        pytest.param({}, document(), True, True, id="a document before"),
        pytest.param({"required": ["/a"]}, None, True, True, id="a route required"),
        pytest.param({"forbidden": ["/a"]}, None, True, True, id="a route forbidden"),
        pytest.param({"smoke": (ONE,)}, None, True, True, id="smoke"),
        pytest.param({"reference": reference("GET /a")}, None, True, True, id="a reference"),
        pytest.param(
            {"reference": reference("GET /a"), "breaking": Breaking.IGNORE},
            None,
            False,
            False,
            id="a reference ignored",
        ),
        pytest.param({"document_url": None}, None, False, False, id="off"),
        pytest.param({"document_url": None}, document(), False, False, id="off, though there was one"),
        pytest.param({"document_url": None, "smoke": (ONE,)}, None, False, True, id="off, smoke"),
        pytest.param(
            {"breaking": Breaking.FAIL}, None, False, False, id="breaking changes without anything to compare"
        ),
    ],
)
def test_the_document_is_needed_only_where_a_check_uses_it(
    settings: dict[str, Any], before: HttpResult | None, document_needed: bool, wanted: bool
) -> None:
    checking = CheckRun(before, **settings).checking
    assert (checking.needs_document, checking.any_needed) == (document_needed, wanted)
    assert checking.done(None) is not wanted


def test_the_document_from_before_is_read_once() -> None:
    checking = CheckRun(document("GET /a")).checking
    assert checking.before is not None
    assert checking.response_before is None
    assert checking.before is checking.before


# which requests are sent


def test_the_document_is_fetched_before_the_requests_that_it_describes() -> None:
    run = CheckRun(smoke=(ONE, TWO)).enter()
    assert [what for what, _ in run.requests] == ["document"]
    run.document(document())
    assert [what for what, _ in run.requests] == ["/s/1", "/s/2"]
    run.smoke(ONE, reply(200))
    assert [what for what, _ in run.requests] == ["/s/2"]
    run.smoke(TWO, reply(200))
    assert run.requests == []
    assert run.checking.done(10.0)
    assert run.failure() is None


def test_without_a_window_no_check_is_sent() -> None:
    assert CheckRun(smoke=(ONE,)).requests == []


def test_a_request_carries_the_response_schema_of_the_document() -> None:
    described = reply(
        200,
        {
            "openapi": "3.1.0",
            "paths": {"/s/{id}": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {}}}}}}}},
        },
    )
    run = CheckRun(smoke=(ONE, UNSAFE)).enter().document(described)
    promises = {
        request.smoke: request.promise
        for request, _ in run.checking.requests(unsafe=True)
        if isinstance(request, SendSmoke)
    }
    assert promises[ONE] is not None
    assert promises[UNSAFE] is None


def test_a_document_that_was_read_where_it_was_fetched_is_not_read_again() -> None:
    run = CheckRun(required=["/a"], smoke=(ONE,)).enter()
    request = run.checking.ask_document()
    assert request is not None
    assert request.smoke == (ONE,)
    run.document(Read(200, {}, b"not read", 0, Contract("7", (Operation("/a", "GET"),))))
    assert run.checking.contract == Contract("7", (Operation("/a", "GET"),))
    assert run.requests == [("/s/1", 0.0)]


# retries


def test_a_check_that_failed_is_retried_once_after_a_pause() -> None:
    run = CheckRun(smoke=(ONE,), document_url=None).enter().smoke(ONE, reply(500))
    assert run.requests == [("/s/1", 10.4 + PAUSE)]
    assert not run.checking.done(10.0)
    run.smoke(ONE, reply(500), sent=11.5)
    assert run.requests == []
    assert run.failure() is Reason.SMOKE


def test_a_check_passes_if_its_retry_passes() -> None:
    run = (
        CheckRun(smoke=(ONE,), document_url=None)
        .enter()
        .smoke(ONE, TransportError(ErrorKind.CUT))
        .smoke(ONE, reply(200), 12.0)
    )
    assert run.failure() is None


def test_a_document_is_retried_once_too() -> None:
    run = CheckRun(required=["/api/ready"]).enter().document(reply(500))
    (what, at), *others = run.requests
    assert (what, others) == ("document", [])
    assert at == pytest.approx(10.2 + PAUSE)
    assert run.document(document(), 11.5).failure() is None


@pytest.mark.parametrize(
    ("http_result", "requests"),
    [(reply(500), 0), (TransportError(ErrorKind.CUT), 0), (TransportError(ErrorKind.REFUSED), 1), (reply(429), 0)],
)
def test_an_unsafe_request_is_retried_only_if_it_was_never_sent(http_result: HttpResult, requests: int) -> None:
    assert len(CheckRun(smoke=(UNSAFE,), document_url=None).enter().smoke(UNSAFE, http_result).requests) == requests


def test_an_unsafe_request_waits_for_permission_and_for_all_other_checks() -> None:
    run = CheckRun(smoke=(UNSAFE, ONE)).enter().document(document())
    assert [request.url for request, _ in run.checking.requests(unsafe=False)] == [ONE.url]
    left = [run.checking.only_unsafe_left]
    run.smoke(ONE, reply(200))
    assert list(run.checking.requests(unsafe=False)) == []
    left.append(run.checking.only_unsafe_left)
    run.smoke(UNSAFE, reply(200))
    left.append(run.checking.only_unsafe_left)
    assert left == [False, True, False]
    assert run.checking.done(10.0)


@pytest.mark.parametrize("answered", [11.0, 31.0])
def test_the_result_of_an_unsafe_request_counts_for_all_later_windows_and_builds(answered: float) -> None:
    run = CheckRun(smoke=(UNSAFE,), document_url=None).enter()
    if answered > 30:
        run.enter(30.0, {"commit": OLD})
    run.smoke(UNSAFE, reply(500), 10.5, answered - 10.5)
    run.enter(40.0, {"commit": OLD})
    assert run.requests == []
    assert run.failure(40.0) is Reason.SMOKE


def test_a_throttled_request_does_not_count_as_a_try_while_the_run_is_patient() -> None:
    run = CheckRun(smoke=(ONE,), document_url=None).enter()
    for number in range(20):
        run.smoke(ONE, reply(429), 11.0 + number)
    assert len(run.requests) == 1
    run.smoke(ONE, reply(429), 40.0, patient=False)
    assert len(run.requests) == 1
    run.smoke(ONE, reply(429), 42.0, patient=False)
    assert run.failure() is Reason.SMOKE


def test_a_cached_response_is_retried_past_caches_and_then_counts() -> None:
    run = CheckRun(smoke=(ONE,), document_url=None).enter()
    run.smoke(ONE, reply(200, age="9"))
    assert [request.past_caches for request, _ in run.checking.requests(unsafe=True)] == [True]
    run.smoke(ONE, reply(200, age="9"), 11.0).smoke(ONE, reply(200, age="9"), 13.0)
    assert run.failure() is Reason.SMOKE
    assert "from a cache" in run.findings[0][3]


# one window after another


def test_a_new_window_of_the_same_build_keeps_the_checks_that_passed() -> None:
    run = CheckRun(smoke=(ONE, TWO)).enter().document(document()).smoke(ONE, reply(200)).smoke(TWO, reply(500))
    run.smoke(TWO, reply(500), 12.0)
    assert run.failure() is Reason.SMOKE
    run.enter(20.0)
    assert [what for what, _ in run.requests] == ["/s/2"]
    assert not run.checking.done(20.0)
    assert run.smoke(TWO, reply(200), 20.5).failure(20.0) is None


def test_a_document_that_failed_is_fetched_again_in_the_next_window() -> None:
    run = CheckRun(required=["/api/ready"]).enter().document(reply(500)).document(reply(500), 12.0)
    assert run.failure() is Reason.OPENAPI
    assert [what for what, _ in run.enter(20.0).requests] == ["document"]
    assert run.document(document(), 20.1).failure(20.0) is None


@pytest.mark.parametrize(
    ("earlier", "later", "kept"),
    [
        pytest.param({"commit": NEW}, {"commit": NEW}, True, id="the same"),
        pytest.param({"commit": NEW}, {"commit": OLD}, False, id="another"),
        pytest.param({}, {}, False, id="nothing is named"),
        pytest.param({"commit": NEW}, {}, False, id="nothing is named any more"),
        pytest.param({}, {"commit": NEW}, False, id="nothing was named"),
        pytest.param({"commit": NEW}, {"version": "1"}, False, id="nothing in common"),
        pytest.param({"commit": NEW, "version": "1"}, {"commit": NEW}, True, id="some in common"),
        pytest.param({"commit": NEW, "version": "1"}, {"commit": NEW, "version": "2"}, False, id="one differs"),
    ],
)
def test_checks_that_passed_are_kept_only_for_certainly_the_same_build(
    earlier: dict[str, str], later: dict[str, str], kept: bool
) -> None:
    run = CheckRun(smoke=(ONE,)).enter(10.0, earlier).document(document()).smoke(ONE, reply(200)).enter(20.0, later)
    assert run.checking.done(20.0) is kept
    assert run.requests == ([] if kept else [("document", 0.0)])


def test_build_names_that_a_window_learns_later_count() -> None:
    run = CheckRun(smoke=(ONE,)).enter(10.0, {}).enter(10.0, NAMES).document(document()).smoke(ONE, reply(200))
    assert run.enter(20.0, NAMES).checking.done(20.0)


def test_a_response_from_an_earlier_window_does_not_count_for_the_next() -> None:
    run = CheckRun(smoke=(ONE,), document_url=None).enter(10.0).enter(20.0, {"commit": OLD})
    run.smoke(ONE, reply(500), sent=19.0, took=2.0).smoke(ONE, reply(500), sent=19.5, took=2.0)
    assert run.requests == [("/s/1", 0.0)]


def test_checks_of_one_window_do_not_count_for_another() -> None:
    run = CheckRun(smoke=(ONE,), document_url=None).enter(10.0).smoke(ONE, reply(200))
    assert run.checking.done(10.0)
    assert not run.checking.done(20.0)
    assert not run.checking.done(None)
    assert run.failure(20.0) is Reason.SMOKE


# unfinished checks have failed


@pytest.mark.parametrize(
    ("run", "failure"),
    [
        pytest.param(CheckRun(smoke=(ONE,)), Reason.SMOKE, id="no window, document useful"),
        pytest.param(CheckRun(required=["/x"]), Reason.OPENAPI, id="no window, document needed"),
        pytest.param(CheckRun(required=["/x"]).enter(), Reason.OPENAPI, id="document not read"),
        pytest.param(CheckRun(smoke=(ONE,), document_url=None), Reason.SMOKE, id="no window, no document needed"),
        pytest.param(CheckRun(before=document()).enter(), None, id="a document that is optional"),
        pytest.param(CheckRun(smoke=(ONE, TWO)).enter().document(document()), Reason.SMOKE, id="no response yet"),
        pytest.param(
            CheckRun(smoke=(ONE, TWO)).enter().document(document()).smoke(ONE, reply(200)),
            Reason.SMOKE,
            id="one of two responses",
        ),
        pytest.param(CheckRun(), None, id="nothing required"),
    ],
)
def test_a_check_that_was_not_made_counts_as_failed(run: CheckRun, failure: Reason | None) -> None:
    assert run.failure() is failure


# findings


def test_findings_come_in_the_order_of_their_reasons() -> None:
    run = CheckRun(
        document("GET /api/ready", "GET /gone/1", "GET /gone/2"),
        required=["GET /api/ready", "POST /api/ready"],
        forbidden=["/api/**", "/internal"],
        breaking=Breaking.FAIL,
        smoke=(ONE, TWO),
    )
    run.enter().document(document("GET /api/ready", version="7")).smoke(ONE, reply(200))
    run.smoke(TWO, reply(500)).smoke(TWO, TransportError(ErrorKind.CUT), 12.0)
    assert run.findings == [
        ("openapi", "openapi", True, "1 operation of version `7`"),
        ("routes", "required-route GET /api/ready", True, "`GET /api/ready` is there"),
        (
            "routes",
            "required-route POST /api/ready",
            False,
            "`POST /api/ready` is missing; the document has `GET /api/ready`",
        ),
        ("routes", "forbidden-route /api/**", False, "`/api/**` is forbidden, and the document has `GET /api/ready`"),
        ("routes", "forbidden-route /internal", True, "`/internal` is not there"),
        ("breaking-change", "removed-route GET /gone/1", False, "`GET /gone/1` is gone"),
        ("breaking-change", "removed-route GET /gone/2", False, "`GET /gone/2` is gone"),
        ("smoke", "smoke GET /s/1", True, "`GET /s/1`: 200"),
        ("smoke", "smoke GET /s/2", False, "`GET /s/2`: the connection was closed without a response"),
    ]
    assert run.failure() is Reason.ROUTES
    assert [each.seconds is not None for each in run.checking.findings()][-2:] == [True, True]


def test_a_missing_route_without_a_similar_one_is_reported_as_such() -> None:
    run = CheckRun(required=["/completely/different"]).enter().document(document())
    assert run.findings[1][3] == "`/completely/different` is missing; the document has 2 operations, but none like it"


@pytest.mark.parametrize(
    ("settings", "before", "after", "failure"),
    [
        pytest.param({"required": ["/a"]}, None, reply(404), Reason.OPENAPI, id="required"),
        pytest.param({}, document(), reply(404), None, id="lost, and it is a warning"),
        pytest.param(
            {"breaking": Breaking.FAIL}, document(), reply(404), Reason.BREAKING_CHANGE, id="lost, and it fails"
        ),
        pytest.param({"breaking": Breaking.FAIL}, document(), reply(500), Reason.OPENAPI, id="broken, and it fails"),
        pytest.param(
            {"breaking": Breaking.FAIL, "required": ["/a"]},
            document(),
            reply(404),
            Reason.OPENAPI,
            id="lost, and a route is required",
        ),
        pytest.param(
            {"reference": reference("GET /a")},
            None,
            reply(404),
            None,
            id="lost, though it is compared with a reference",
        ),
        pytest.param({"breaking": Breaking.IGNORE}, document(), reply(404), None, id="lost, and ignored"),
        pytest.param({"smoke": (ONE,)}, None, reply(404), None, id="only smoke"),
        pytest.param({}, document(), document("GET /new"), None, id="gone, and it is a warning"),
        pytest.param(
            {"breaking": Breaking.FAIL},
            document(),
            document("GET /new"),
            Reason.BREAKING_CHANGE,
            id="gone, and it fails",
        ),
        pytest.param({"breaking": Breaking.IGNORE}, document(), document("GET /new"), None, id="removed, and ignored"),
        pytest.param(
            {"breaking": Breaking.FAIL, "reference": reference("GET /old")},
            document("GET /api/ready"),
            document("GET /api/ready"),
            Reason.BREAKING_CHANGE,
            id="not in the reference, which is used instead",
        ),
        pytest.param(
            {"breaking": Breaking.FAIL, "reference": reference("GET /api/ready")},
            document(),
            document("GET /api/ready"),
            None,
            id="the same as the reference, whatever was before",
        ),
    ],
)
def test_a_document_fails_for_one_reason(
    settings: dict[str, Any], before: HttpResult | None, after: HttpResult, failure: Reason | None
) -> None:
    found = CheckRun(before, **settings).enter().document(after).document(after, 12.0)
    for smoke in settings.get("smoke", ()):
        found.smoke(smoke, reply(200), 13.0)
    assert found.failure() is failure


def test_a_schema_violation_is_reported_with_its_request() -> None:
    run = CheckRun(smoke=(ONE,), document_url=None).enter()
    schema_violation = Judged(200, schema_violation="`$.a`: 1 is not of type 'string'")
    run.smoke(ONE, schema_violation).smoke(ONE, schema_violation, 12.0)
    assert run.findings == [("smoke", "smoke GET /s/1", False, "`GET /s/1`: 200, but `$.a`: 1 is not of type 'string'")]


@pytest.mark.parametrize(
    ("number", "listing"),
    [(1, "`GET /1`"), (5, "`GET /1`, `GET /2`, `GET /3`, `GET /4`, `GET /5`"), (8, "and 3 more")],
)
def test_a_message_names_at_most_five_operations(number: int, listing: str) -> None:
    found = named([Operation(f"/{each}", "GET") for each in range(1, number + 1)])
    assert found.endswith(listing)
    assert found.count("GET") <= 5


# the contract as evidence of a change


def test_a_changed_contract_has_the_time_of_its_last_change() -> None:
    run = CheckRun(document("GET /a")).enter()
    assert run.signs == (None, False)
    assert run.document(document("GET /a"), 10.0).signs == (None, False)
    assert run.document(document("GET /b"), 12.0).document(document("GET /c"), 14.0).signs == (14.0, False)
    assert run.document(document("GET /a"), 16.0).signs == (None, True)
    assert run.document(document("GET /b"), 18.0).signs == (18.0, False)


def test_without_a_document_from_before_the_contract_has_not_changed() -> None:
    for before in (None, reply(404), page(200)):
        run = CheckRun(before, required=["/a"]).enter().document(document("GET /b"))
        assert run.signs == (None, False)


def test_a_document_that_fails_keeps_the_last_contract_change() -> None:
    run = CheckRun(document("GET /a")).enter().document(document("GET /b"), 12.0).document(reply(500), 14.0)
    assert run.checking.changed_since(operations=True) == 12.0
    assert run.checking.contract is None


# what is reported


def shown(run: CheckRun) -> tuple[Sequence[str], Sequence[str], Sequence[str], Sequence[str]]:
    found, facts = checked(run.checking), facts_of_checks(run.checking)
    return found.added, found.removed, facts.of(About.WARNING), facts.of(About.NOTE_ON_CHECKS)


def test_the_difference_names_what_the_document_was_compared_with() -> None:
    run = CheckRun(document("GET /a", "GET /b")).enter().document(document("GET /b", "GET /c"))
    assert shown(run) == (
        ("GET /c",),
        ("GET /a",),
        ("Compared with the document that was live before the trigger, 1 operation removed: `GET /a`.",),
        (),
    )
    assert checked(run.checking).places == ()


def test_with_a_reference_each_removed_operation_has_its_line() -> None:
    run = CheckRun(reference=reference("GET /a", "GET /b", "GET /c")).enter().document(document("GET /b"))
    found = checked(run.checking)
    assert [(each.file, each.line) for each in found.places] == [("docs/openapi.yaml", 4), ("docs/openapi.yaml", 8)]
    assert found.compared_with == "`docs/openapi.yaml`"
    assert shown(run)[2] == ("Compared with `docs/openapi.yaml`, 2 operations removed: `GET /a`, `GET /c`.",)


def test_ignored_breaking_changes_are_listed_without_a_warning() -> None:
    run = CheckRun(reference=reference("GET /a"), breaking=Breaking.IGNORE, required=["/b"])
    found = checked(run.enter().document(document("GET /b")).checking)
    assert (found.removed, found.places, shown(run)[2]) == (("GET /a",), (), ())


def twice(run: CheckRun, http_result: HttpResult) -> CheckRun:
    return run.enter().document(http_result).document(http_result, 12.0)


@pytest.mark.parametrize("after", [reply(404), reply(410), page(200), reply(200, {"status": "ok"}), reply(200, "bye")])
def test_a_missing_document_counts_as_every_operation_removed(after: HttpResult) -> None:
    run = twice(CheckRun(document()), after)
    added, removed, warnings, notes = shown(run)
    assert (added, removed, notes) == ((), ("POST /api/items", "GET /api/ready"), ())
    (warning,) = warnings
    assert warning.startswith("The OpenAPI document that was live before the trigger is gone, so all 2 operations")
    assert run.failure() is None
    failing = twice(CheckRun(document(), breaking=Breaking.FAIL), after)
    assert failing.failure() is Reason.BREAKING_CHANGE
    assert [each.check for each in checked(failing.checking).failed] == [
        "removed-route POST /api/items",
        "removed-route GET /api/ready",
    ]
    assert shown(failing)[2] == ()
    ignoring = shown(twice(CheckRun(document(), breaking=Breaking.IGNORE), after))
    assert ignoring[1] == removed
    assert ignoring[2] == ()


@pytest.mark.parametrize("after", [reply(500), reply(401), reply(200, "{"), TransportError(ErrorKind.TIMED_OUT)])
def test_an_unreadable_document_does_not_count_as_missing(after: HttpResult) -> None:
    added, removed, warnings, notes = shown(twice(CheckRun(document()), after))
    assert (added, removed, warnings) == ((), (), ())
    assert len(notes) == 1
    assert twice(CheckRun(document(), breaking=Breaking.FAIL), after).failure() is Reason.OPENAPI


def test_with_a_reference_a_missing_document_is_a_warning_unless_it_fails() -> None:
    run = twice(CheckRun(reference=reference("GET /a")), reply(404))
    assert shown(run) == (
        (),
        (),
        ("There is no OpenAPI document, so nothing was compared with `docs/openapi.yaml`: the response was 404.",),
        (),
    )
    assert (
        twice(CheckRun(reference=reference("GET /a"), breaking=Breaking.FAIL), reply(404)).failure() is Reason.OPENAPI
    )


def strange(**items: Any) -> HttpResult:  # noqa: ANN401 - JSON values
    paths = {"/a": {"get": {}}, **{f"/{name}": item for name, item in items.items()}}
    return reply(200, {"openapi": "3.1.0", "info": {"version": "1"}, "paths": paths})


def test_skipped_parts_of_a_document_are_a_note() -> None:
    run = CheckRun(required=["/a"]).enter().document(strange(b={"get": None}, c={"$ref": "./c.yaml"}))
    assert run.failure() is None
    (note,) = shown(run)[3]
    assert note.startswith("Ignored in the OpenAPI document: `GET /b` is null; `/c` refers to `./c.yaml`, which ")


def test_a_route_of_unknown_operations_is_neither_present_nor_absent() -> None:
    run = CheckRun(required=["GET /c", "/c/**", "/a"], forbidden=["GET /C/", "DELETE /a", "/d"]).enter()
    run.document(strange(c={"$ref": "./c.yaml"}))
    assert [(check, passed) for _, check, passed, _ in run.findings] == [
        ("openapi", True),
        ("required-route GET /c", False),
        ("required-route /c/**", False),
        ("required-route /a", True),
        ("forbidden-route GET /C/", False),
        ("forbidden-route DELETE /a", True),
        ("forbidden-route /d", True),
    ]
    assert "may be there: `/c` refers to `./c.yaml`, which is not in the document" in run.findings[1][3]
    assert "is forbidden, and may be there: `/c` refers to" in run.findings[4][3]


def test_a_response_that_was_compared_only_in_part_is_a_warning() -> None:
    run = CheckRun(smoke=(ONE, TWO), document_url=None).enter()
    run.smoke(ONE, Judged(200, partial="it is too large")).smoke(TWO, reply(200))
    assert run.failure() is None
    assert shown(run)[2] == ("`GET /s/1` passed, and was compared only in part: it is too large.",)
    assert "compared only in part" in run.findings[0][3]


@pytest.mark.parametrize("breaking", [Breaking.WARN, Breaking.FAIL])
def test_a_comparison_with_unreadable_operations_is_reported_as_partial(breaking: Breaking) -> None:
    run = CheckRun(strange(c={"get": {}}), breaking=breaking).enter().document(strange(c={"$ref": "./c.yaml"}))
    assert run.failure() is None
    _, removed, warnings, notes = shown(run)
    assert removed == ()
    where = warnings if breaking is Breaking.FAIL else notes
    assert any("only in part: a document does not show the operations under `/c`" in each for each in where)


def test_an_output_lists_a_thousand_operations_and_says_how_many_more() -> None:
    many = document(*(f"GET /p{number}" for number in range(5_000)))
    run = CheckRun(many).enter().document(document("GET /new"))
    found, (warning,) = checked(run.checking), shown(run)[2]
    assert len(found.removed) == MOST_LISTED + 1
    assert found.removed[-1] == "... and 4000 more"
    assert "5,000 operations removed" in warning
    assert len(warning) < 500


@pytest.mark.parametrize("breaking", Breaking)
def test_the_document_of_the_previous_build_does_not_count_for_its_successor(breaking: Breaking) -> None:
    run = CheckRun(before=document(), required=["GET /api/ready"], breaking=breaking).enter().document(document())
    assert run.checking.failure(10.0) is None
    run.enter(20.0, {"commit": OLD})
    assert run.checking.failure(20.0) is Reason.OPENAPI
    found = checked(run.checking)
    assert [each.check for each in found.failed] == ["openapi"]
    assert found.compared_with == ""


def test_without_other_checks_a_missing_document_from_before_is_a_note() -> None:
    run = CheckRun(before=page())
    _, _, warnings, notes = shown(run)
    assert (len(notes), warnings) == (1, ())
    assert not checked(run.checking).findings


def test_hundreds_of_missing_routes_are_reported_without_a_suggestion_for_each() -> None:
    wanted = [f"GET /api/item/{each}" for each in range(200)]
    run = CheckRun(required=wanted).enter().document(document("GET /api/items/{id}"))
    sentences = [each.sentence for each in run.checking.findings() if not each.passed]
    assert len(sentences) == 200
    assert sum("the document has" in each for each in sentences) == MOST_EXPLAINED


def test_a_comparison_that_was_not_made_is_explained_by_the_input_that_prevents_it() -> None:
    _, _, warnings, _ = shown(CheckRun(document_url=None, breaking=Breaking.FAIL))
    assert [each.partition(": ")[2] for each in warnings] == ["`openapi-path` is `off`."]


# smoke lines that only warn


def test_a_smoke_line_that_only_warns_does_not_fail_the_run() -> None:
    lenient = replace(ONE, only_warns=True)
    run = CheckRun(smoke=(lenient, TWO), document_url=None).enter()
    for sent in (10.3, 12.0):
        run.smoke(lenient, reply(500), sent)
    run.smoke(TWO, reply(200))
    assert run.failure() is None
    assert run.checking.done(10.0)
    results = checked(run.checking)
    assert results.failed == []
    assert [each.passed for each in results.findings] == [False, True]
    [warning] = shown(run)[2]
    assert "only warns" in warning
    assert "`GET /s/1`: 500, not 2xx" in warning


def test_a_smoke_line_that_only_warns_does_not_fail_the_run_without_a_response_either() -> None:
    lenient = replace(ONE, only_warns=True)
    assert CheckRun(smoke=(lenient,), document_url=None).enter().failure() is None
    assert CheckRun(smoke=(lenient, TWO), document_url=None).enter().failure() is Reason.SMOKE
