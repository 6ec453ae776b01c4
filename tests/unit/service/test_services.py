"""What is concluded from the recorded responses of common software."""

import json

import pytest

from redeploy.http.condition import Condition
from redeploy.http.response import Response
from redeploy.rollout.requests import BOTH
from redeploy.service.build_fields import names_nothing
from redeploy.service.declared import Standing, declared
from redeploy.service.sample import read_sample
from sandbox.simulation import WALL
from tests.fixtures.answer import Answer
from tests.fixtures.frameworks import FRAMEWORKS
from tests.fixtures.more_products import MORE_PRODUCTS, SERVICES
from tests.fixtures.products import PRODUCTS
from tests.unit.factories import service

ANSWERS = (*FRAMEWORKS, *PRODUCTS, *MORE_PRODUCTS, *SERVICES)
EACH = pytest.mark.parametrize("answer", [pytest.param(each, id=each.software) for each in ANSWERS])


def looked_at(answer: Answer) -> Response:
    body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    return Response(200, dict(answer.headers), body.encode())


@EACH
def test_only_build_names_are_read(answer: Answer) -> None:
    target = service(health_expect="any", names_itself=True)
    sample = read_sample(looked_at(answer), target, BOTH, sent=1.0, at=1.1, wall=WALL)
    assert sample.condition is Condition.HEALTHY
    telling = {path: sample.ranks[path].kind for path, name in sample.names.items() if not names_nothing(name)}
    assert telling == answer.names
    assert sample.names.keys() - telling.keys() == set(answer.nothing)
    assert (set(sample.starts), set(sample.uptimes)) == (set(answer.starts), set(answer.uptimes))


@EACH
def test_a_declared_version_is_found_in_its_field(answer: Answer) -> None:
    target = service(health_expect="any", names_itself=True)
    sample = read_sample(looked_at(answer), target, BOTH, sent=1.0, at=1.1, wall=WALL)
    met = declared(answer.version or "0.9.9", sample.names, sample.ranks).standing is Standing.MET
    assert met is bool(answer.version)


def test_at_least_60_kinds_of_software_are_recorded() -> None:
    assert len(ANSWERS) >= 60
    assert len({each.software for each in ANSWERS}) == len(ANSWERS)
