"""The differences between two documents."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract.openapi import contract_of
from redeploy.contract.routes import Operation
from redeploy.contract.snapshot import Contract, difference


def contract(*routes: str, prefix: str | None = None, version: str = "1") -> Contract:
    """A contract with these operations, at a server whose path is `prefix`, if given."""
    operations = [Operation(path, method, (prefix or "",)) for method, path in (route.split() for route in routes)]
    return Contract(version, tuple(sorted(operations)), located=prefix is not None)


def differing(before: Contract, after: Contract) -> tuple[list[str], list[str]]:
    """What was added, and what was removed, in words."""
    found = difference(before, after)
    return [str(each) for each in found.added], [str(each) for each in found.removed]


@pytest.mark.parametrize(
    ("before", "after", "added", "removed"),
    [
        pytest.param(["GET /a"], ["GET /a"], [], [], id="nothing"),
        pytest.param(["GET /a"], ["GET /a", "GET /b"], ["GET /b"], [], id="a path added"),
        pytest.param(["GET /a", "GET /b"], ["GET /a"], [], ["GET /b"], id="a path removed"),
        pytest.param(["GET /a"], ["POST /a"], ["POST /a"], ["GET /a"], id="another method"),
        pytest.param(["GET /a/{id}"], ["GET /a/{name}"], [], [], id="another name of a parameter"),
        pytest.param(["GET /a/{id}"], ["GET /a/5"], ["GET /a/5"], ["GET /a/{id}"], id="no parameter any more"),
        pytest.param(["GET /a"], ["GET /a/"], ["GET /a/"], ["GET /a"], id="a slash"),
        pytest.param([], [], [], [], id="empty"),
    ],
)
def test_operations_are_added_and_removed(
    before: Sequence[str], after: Sequence[str], added: list[str], removed: list[str]
) -> None:
    assert differing(contract(*before), contract(*after)) == (added, removed)


def test_paths_are_compared_with_their_servers_where_both_documents_name_one() -> None:
    moved = contract("GET /items", prefix="/v1"), contract("GET /v1/items", prefix="")
    assert differing(*moved) == ([], [])
    other = contract("GET /items", prefix="/v1"), contract("GET /items", prefix="/v2")
    assert differing(*other) == (["GET /v2/items"], ["GET /v1/items"])


def test_paths_are_compared_as_written_where_a_document_names_no_server() -> None:
    assert differing(contract("GET /items", prefix="/v1"), contract("GET /items")) == ([], [])
    assert differing(contract("GET /items"), contract("GET /items", prefix="/v1")) == ([], [])


def test_one_address_in_common_is_enough() -> None:
    before = Contract("1", (Operation("/a", "GET", ("/v1", "/v2")),), located=True)
    after = Contract("1", (Operation("/a", "GET", ("/v2", "/v3")),), located=True)
    assert differing(before, after) == ([], [])


def test_a_contract_is_reported_by_its_version_and_the_set_of_its_operations() -> None:
    assert contract("GET /a/{x}", "GET /b").identity == contract("GET /b", "GET /a/{y}").identity
    assert contract("GET /a").identity != contract("GET /a", version="2").identity
    assert contract("GET /a").identity != contract("POST /a").identity


methods = st.sampled_from(["get", "put", "post", "delete", "head", "patch"])
segments = st.sampled_from(["a", "b", "items", "{id}", "{name}", "c-{d}"])
paths = st.lists(segments, min_size=1, max_size=3).map(lambda each: "/" + "/".join(each))
servers = st.lists(
    st.sampled_from(["/", "/v1", "https://api.example.com/v2/", "v3", "{base}/x"]).map(
        lambda url: {"url": url, "variables": {"base": {"default": "/y"}}}
    ),
    max_size=3,
)
items = st.dictionaries(methods, st.fixed_dictionaries({}, optional={"servers": servers}), max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, object]:
    """Documents of every version, with servers at every level."""
    document: dict[str, object] = {
        "info": {"title": "t", "version": draw(st.sampled_from(["1", "2"]))},
        "paths": draw(st.dictionaries(paths, items, max_size=5)),
    }
    if draw(st.booleans()):
        document |= {"swagger": "2.0"} | draw(st.sampled_from([{}, {"basePath": "/v1"}, {"basePath": "v1/"}]))
    else:
        document |= {"openapi": draw(st.sampled_from(["3.0.0", "3.0.4", "3.1.0", "3.2.0"])), "servers": draw(servers)}
    return document


@given(documents())
def test_a_document_does_not_differ_from_itself(document: dict[str, object]) -> None:
    found = difference(contract_of(document), contract_of(document))
    assert (found.added, found.removed) == ((), ())


@given(documents(), documents())
def test_swapping_the_documents_swaps_added_and_removed(one: dict[str, object], other: dict[str, object]) -> None:
    there, back = contract_of(one), contract_of(other)
    assert difference(there, back).added == difference(back, there).removed
    assert difference(there, back).removed == difference(back, there).added


@given(documents())
def test_parameters_may_change_their_names(document: dict[str, object]) -> None:
    found = document["paths"]
    assert isinstance(found, dict)
    again = {path.replace("{id}", "{key}").replace("{d}", "{e}"): item for path, item in found.items()}
    before, after = contract_of(document), contract_of(document | {"paths": again})
    assert differing(before, after) == ([], [])
    assert before.identity == after.identity


@given(documents())
def test_the_order_of_a_document_does_not_matter(document: dict[str, object]) -> None:
    found = document["paths"]
    assert isinstance(found, dict)
    turned = document | {"paths": dict(reversed(found.items()))}
    assert contract_of(turned).operations == contract_of(document).operations


@given(documents(), documents())
def test_operations_that_are_neither_added_nor_removed_are_in_both(
    one: dict[str, object], other: dict[str, object]
) -> None:
    before, after = contract_of(one), contract_of(other)
    found = difference(before, after)
    assert set(found.added) <= set(after.operations)
    assert set(found.removed) <= set(before.operations)
    if before.identity[1] == after.identity[1] and not (before.located and after.located):
        assert differing(before, after) == ([], [])
