"""The plan of a run: what each trigger is narrowed to, and the order of the services."""

from dataclasses import replace

import pytest

from redeploy.settings.plan import HostPlan, Plan, RunPlan
from sandbox.simulation import plan

API = "ghcr.io/o/api"
WEB = "ghcr.io/o/web"


def named(name: str, **inputs: str) -> Plan:
    """Return the plan of a service with a name."""
    return replace(plan(**inputs), name=name)


@pytest.mark.parametrize(
    ("services", "images", "containers"),
    [
        (({"image": API}, {"image": WEB}), (API, WEB), ()),
        (({"image": API}, {"image": API, "container": "other"}), (API,), ()),
        (({"container": "api"}, {"container": "web"}), (), ("api", "web")),
        (({"container": "api"}, {"container": "web", "image": WEB}), (), ()),
        (({"image": API}, {}), (), ()),
        (({"container": "api"}, {}), (), ()),
        (({}, {}), (), ()),
    ],
)
def test_one_trigger_is_narrowed_to_what_all_services_need(
    services: tuple[dict[str, str], ...], images: tuple[str, ...], containers: tuple[str, ...]
) -> None:
    host = HostPlan.of("eu", [named(f"s{number}", **each) for number, each in enumerate(services)])
    found = {(each.watchtower.images, each.watchtower.containers) for each in host.services}
    assert found == {(images, containers)}


def test_a_container_beside_an_image_still_chooses_the_rows_that_count() -> None:
    api = named("api", image=API, container="api-1")
    host = HostPlan.of("", [api, named("web", image=WEB)])
    assert [each.containers for each in host.services] == [("api-1",), ()]


def test_services_come_in_the_order_of_wave_host_and_file() -> None:
    eu = HostPlan.of("eu", [named("b"), named("a")])
    us = HostPlan.of("us", [named("a")])
    run = RunPlan(waves=((us,), (eu,)))
    assert [each.key for each in run.services] == ["us/a", "eu/b", "eu/a"]


def test_the_inputs_make_a_run_of_one_service_as_it_is() -> None:
    alone = plan(image=API, container="api-1")
    assert RunPlan.of_one(alone).services == (alone,)
    assert alone.key == ""
