"""What was seen of a service, so that a later run can compare."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping

from redeploy.rollout.service_state import ServiceState
from redeploy.service.build_fields import Kind
from redeploy.service.sample import Sample
from redeploy.text.secret import MASK
from redeploy.text.untrusted import one_line

MOST_NAMES = 64
MOST_ROWS = 64
MOST_VALUES = 8
"""Values of one name; the last ones are kept."""

MOST_BYTES = 48 * 1024
"""Of all names: with these the report is never so long that they are cut."""


def seen(state: ServiceState, now: float) -> Mapping[str, object]:
    """Return build names with their kinds, noisy fields, running images, process starts and contract, as JSON values.

    `now` is in monotonic seconds. A name is left out that cannot be compared later: one that had to be redacted, or
    whose spelling had to be made harmless.
    """
    samples = [*state.baseline, *state.samples]
    names, starts = _names(state, samples), _starts(state, samples)
    noisy = set(state.record.learnt.noise)
    if state.plan.inspects:  # nothing was deployed meanwhile, so what differs tells nothing
        noisy |= {path for path, (_, values) in names.items() if len(values) > 1}
        noisy |= {path for path, moments in starts.items() if len(moments) > 1}
    look = state.running.told[-1] if state.running.told else None
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
        "names": _listed(names),
        "noisy": sorted(one_line(state.redact(path)) for path in noisy)[:MOST_NAMES],
        "digests": list(dict.fromkeys(row.digest for row in rows if row.digest)),
        "rows": [
            {"container": one_line(row.name), "digest": row.digest, "image-id": one_line(row.image_id)} for row in rows
        ],
        "images": sorted({one_line(row.image) for row in rows}),
        "container": one_line(look.container) if look else "",
        "starts": [
            {"field": path, "seconds": round(moment, 3)}
            for path, moments in list(starts.items())[:MOST_NAMES]
            for moment in moments
        ],
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
    """Return the moments that each start time has told, those that are the same within its slack once."""
    found: dict[str, list[float]] = {}
    for sample in samples:
        for path, start in sample.timed(state.record.learnt.units).starts.items():
            if _as_it_is(state, path):
                moments = found.setdefault(path, [])
                moments[:] = [each for each in moments if abs(each - start.told) > start.slack][1 - MOST_VALUES :]
                moments.append(start.told)
    return found


def _as_it_is(state: ServiceState, text: str) -> bool:
    """Tell whether a text can be handed on, and compared, as it is."""
    return MASK not in text and state.redact(text) == text == one_line(text)


def _listed(names: Mapping[str, tuple[Kind, list[str]]]) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = []
    room = MOST_BYTES
    for path, (kind, values) in names.items():
        entry: dict[str, object] = {"field": path, "kind": kind.name.lower(), "values": values[-MOST_VALUES:]}
        room -= len(json.dumps(entry)) + 1
        if room < 0:
            break
        listed.append(entry)
    return listed
