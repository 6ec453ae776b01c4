"""What was seen of a service, so that a later run can compare."""

import datetime as dt
import itertools
import json
from collections.abc import Iterable, Mapping

from redeploy.rollout.service_state import ServiceState
from redeploy.service.build_fields import Kind
from redeploy.service.sample import Sample
from redeploy.text.secret import MASK
from redeploy.text.untrusted import one_line
from redeploy.triggers.watchtower.containers import RunningContainer

MOST_NAMES = 64
MOST_ROWS = 64
MOST_IMAGES = 4
MOST_VALUES = 8
"""Values of one name; the last ones are kept."""

BYTES_OF_NAMES, BYTES_OF_STARTS, BYTES_OF_ROWS = 20 * 1024, 6 * 1024, 8 * 1024
"""Bytes in the report: with these limits, nothing that was seen must be cut to fit into an output."""


def seen(state: ServiceState, now: float) -> Mapping[str, object]:
    """Return build names with their kinds, noisy fields, running images, process starts and contract, as JSON values.

    `now` is in monotonic seconds. Names that cannot be compared later are left out: those that had to be
    redacted or made harmless.
    """
    samples = [*state.baseline, *state.samples]
    names, starts = _names(state, samples), _starts(state, samples)
    listed = _within([_name(path, kind, values) for path, (kind, values) in names.items()], BYTES_OF_NAMES)
    begun = [_start(path, moment) for path, moments in starts.items() for moment in moments]
    begun = _within(begun, BYTES_OF_STARTS)
    noisy = set(state.record.learnt.noise)
    if state.plan.inspects:  # nothing was deployed meanwhile, so what differs is noise
        noisy |= {path for path, (_, values) in names.items() if len(values) > 1}
        noisy |= {path for path, moments in starts.items() if len(moments) > 1}
    look = state.running.reported[-1] if state.running.reported else None
    rows = look.rows[:MOST_ROWS] if look else ()
    dated = next((sample for sample in reversed(samples) if sample.wall), None)
    ended = dt.datetime.fromtimestamp(dated.wall + now - dated.at, dt.UTC) if dated else None
    contract = state.checking.documents[-1][1] if state.checking.documents else state.checking.before_if_read
    contract = contract if contract and _as_it_is(state, contract.version) else None
    service = state.plan.service
    return {
        "url": service.base_url,
        "health-url": one_line(state.redact(service.health_url), 2048),
        "version-url": one_line(state.redact(service.version_url), 2048),
        "names": listed,
        "noisy": sorted(noisy & {str(each["field"]) for each in (*listed, *begun)}),
        "digests": list(dict.fromkeys(row.digest for row in rows if row.digest)),
        "rows": _within(list(map(_row, rows)), BYTES_OF_ROWS),
        "images": sorted({one_line(row.image) for row in rows})[:MOST_IMAGES],
        "container": one_line(look.container) if look else "",
        "starts": begun,
        "contract": contract.fingerprint if contract else "",
        "contract-version": contract.version if contract else "",
        "ended": ended.isoformat(timespec="milliseconds").replace("+00:00", "Z") if ended else "",
    }


def _names(state: ServiceState, samples: Iterable[Sample]) -> dict[str, tuple[Kind, list[str]]]:
    """Return the kind and the values of each name, the value seen last at the end, the strongest kinds first."""
    found: dict[str, tuple[Kind, list[str]]] = {}
    for sample in samples:
        for path, name in sample.names.items():
            if _as_it_is(state, path) and _as_it_is(state, name):
                _, values = found.setdefault(path, (sample.ranks[path].kind, []))
                if name in values:
                    values.remove(name)
                values.append(name)
    return dict(sorted(found.items(), key=lambda each: each[1][0])[:MOST_NAMES])


def _starts(state: ServiceState, samples: Iterable[Sample]) -> dict[str, list[float]]:
    """Return the values of each start time; values that are the same within its slack count once."""
    found: dict[str, list[float]] = {}
    for sample in samples:
        for path, start in sample.timed(state.record.learnt.units).starts.items():
            if _as_it_is(state, path):
                moments = found.setdefault(path, [])
                moments[:] = [each for each in moments if abs(each - start.reported) > start.slack][1 - MOST_VALUES :]
                moments.append(start.reported)
    return found


def _as_it_is(state: ServiceState, text: str) -> bool:
    """Return whether a text is neither redacted nor made harmless, so that a later run can compare it."""
    return MASK not in text and state.redact(text) == text == one_line(text)


def _name(path: str, kind: Kind, values: list[str]) -> dict[str, object]:
    return {"field": path, "kind": kind.name.lower(), "values": values[-MOST_VALUES:]}


def _start(path: str, moment: float) -> dict[str, object]:
    return {"field": path, "seconds": round(moment, 3)}


def _row(row: RunningContainer) -> dict[str, object]:
    return {"container": one_line(row.name), "digest": row.digest, "image-id": one_line(row.image_id)}


def _within(entries: list[dict[str, object]], room: int) -> list[dict[str, object]]:
    """Return the first entries, as many as there are bytes for."""
    sizes = itertools.accumulate(len(json.dumps(each)) + 1 for each in entries)
    return [each for each, size in zip(entries, sizes, strict=True) if size <= room]
