"""Registry responses, read as a manifest or rejected."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.response import Response
from redeploy.registry.image import is_digest
from redeploy.registry.manifest import IMAGES, INDEXES, digest_of, read, revision_of
from sandbox.server.builds import V1, V2
from tests.unit.factories import D1, D2, D3, page


def sent(body: object, media_type: str = INDEXES[0], **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        200, {"content-type": media_type} | named, body if isinstance(body, bytes) else json.dumps(body).encode()
    )


def test_an_index_is_its_bytes_and_its_platforms() -> None:
    image = V1.image
    found = read(sent(image.index.body, image.index.media_type + "; charset=utf-8"))
    assert (found.digest, found.body, found.media_type) == (V1.digest, image.index.body, image.index.media_type)
    assert found.children == (image.platform.digest, image.manifests[1].digest), "without the attestation"
    assert [found.is_of(each) for each in (V1.digest, image.platform.digest, V2.digest)] == [True, True, False]


@pytest.mark.parametrize("media_type", IMAGES)
def test_an_image_names_its_configuration(media_type: str) -> None:
    found = read(sent({"config": {"digest": D1}, "manifests": [{"digest": D2}]}, media_type))
    assert (found.config, found.children) == (D1, ())


@pytest.mark.parametrize("config", [None, [], {}, {"digest": 7}, {"digest": "sha256:short"}])
def test_an_image_may_have_no_configuration(config: object) -> None:
    assert read(sent({"config": config}, IMAGES[0])).config == ""


@pytest.mark.parametrize(
    ("rows", "children"),
    [
        (None, ()),
        ("text", ()),
        ([7, None, {"digest": 7}, {"digest": "sha512:x"}, {"digest": D1}], (D1,)),
        (
            [{"digest": D1, "platform": 7}, {"digest": D2, "platform": {"os": "linux", "architecture": "amd64"}}],
            (D2, D1),
        ),
        ([{"digest": D1, "platform": {"os": "unknown", "architecture": "unknown"}}, {"digest": D3}], (D3,)),
    ],
)
def test_the_platforms_of_an_index_may_be_nonsense(rows: object, children: tuple[str, ...]) -> None:
    assert read(sent({"manifests": rows})).children == children


@pytest.mark.parametrize(
    ("reply", "wanted", "message"),
    [
        (sent({"a": 1}, docker_content_digest=D1), "", f"instead of `{D1}`"),
        (sent({"a": 1}, docker_content_digest="Bearer x"), "", "instead of the one it reports"),
        (sent({"a": 1}), D2, f"instead of `{D2}`"),
        (sent({"a": 1}, docker_content_digest=digest_of(b'{"a": 1}')), D2, f"instead of `{D2}`"),
        (sent({"a": 1}, "application/json"), "", "`application/json` instead of a manifest"),
        (sent({"a": 1}, ""), "", "a document without a type"),
        (sent([], INDEXES[0]), "", "instead of a manifest"),
        (sent(b"{", INDEXES[0]), "", "instead of a manifest"),
        (sent(b"[" * 5000 + b"]" * 5000, INDEXES[0]), "", "instead of a manifest"),
        (page(), "", "a web page"),
    ],
)
def test_a_response_without_the_expected_manifest_is_an_error(reply: Response, wanted: str, message: str) -> None:
    with pytest.raises(ValueError, match="it sends") as caught:
        read(reply, wanted)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("configuration", "revision"),
    [
        ({"config": {"Labels": {"org.opencontainers.image.revision": " 1a2b "}}}, "1a2b"),
        ({"config": {"Labels": {"org.opencontainers.image.revision": "a\nb"}}}, ""),
        ({"config": {"Labels": {"org.opencontainers.image.revision": "a" * 257}}}, ""),
        ({"config": {"Labels": {"org.opencontainers.image.revision": 7}}}, ""),
        ({"config": {"Labels": {}}}, ""),
        ({"config": {"Labels": None}}, ""),
        ({"config": 7}, ""),
        (None, ""),
    ],
)
def test_the_commit_comes_from_the_label(configuration: object, revision: str) -> None:
    assert revision_of(json.dumps(configuration).encode()) == revision


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(D1),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["manifests", "config", "digest", "platform", "os", "Labels"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from([*INDEXES, *IMAGES]))
def test_any_document_is_a_manifest_or_an_error(document: object, media_type: str) -> None:
    revision_of(json.dumps(document).encode())
    try:
        found = read(sent(document, media_type))
    except ValueError:
        assert not isinstance(document, dict)
        return
    assert all(map(is_digest, found.children))
    assert not found.config or is_digest(found.config)
