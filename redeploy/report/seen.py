"""What was seen of a service, so that a later run can compare."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping

from redeploy.rollout.service_state import ServiceState
from redeploy.text.untrusted import one_line

MOST_NAMES = 64
MOST_ROWS = 64
MOST_VALUES = 8
"""Values of one name; the last ones are kept."""


def seen(state: ServiceState, now: float) -> Mapping[str, object]:
    """Return build names with their kinds, noisy fields, running images, process starts and contract, as JSON values.

    `now` is in monotonic seconds.
    """
    samples = [*state.baseline, *state.samples]
    names: dict[str, dict[str, None]] = {}
    kinds: dict[str, str] = {}
    starts: dict[str, float] = {}
    for sample in samples:
        for path, name in sample.names.items():
            values = names.setdefault(one_line(state.redact(path)), {})
            values.pop(one_line(name), None)
            values[one_line(name)] = None
            if path in sample.ranks:
                kinds[one_line(state.redact(path))] = sample.ranks[path].kind.name.lower()
        timed = sample.timed(state.record.learnt.units)
        starts |= {one_line(state.redact(path)): start.told for path, start in timed.starts.items()}
    look = state.running.told[-1] if state.running.told else None
    rows = look.rows[:MOST_ROWS] if look else ()
    dated = next((sample for sample in reversed(samples) if sample.wall), None)
    ended = dt.datetime.fromtimestamp(dated.wall + now - dated.at, dt.UTC) if dated else None
    contract = state.checking.documents[-1][1] if state.checking.documents else state.checking.before_if_read
    return {
        "url": state.plan.service.base_url,
        "names": [
            {"field": path, "kind": kinds.get(path, ""), "values": list(values)[-MOST_VALUES:]}
            for path, values in list(names.items())[:MOST_NAMES]
        ],
        "noisy": sorted(one_line(state.redact(path)) for path in state.record.learnt.noise)[:MOST_NAMES],
        "digests": list(dict.fromkeys(row.digest for row in rows if row.digest)),
        "rows": [
            {"container": one_line(row.name), "digest": row.digest, "image-id": one_line(row.image_id)} for row in rows
        ],
        "container": one_line(look.container) if look else "",
        "starts": [{"field": path, "seconds": round(at, 3)} for path, at in list(starts.items())[:MOST_NAMES]],
        "contract": _hashed(contract.identity) if contract else "",
        "contract-version": one_line(contract.version) if contract else "",
        "ended": ended.isoformat(timespec="seconds").replace("+00:00", "Z") if ended else "",
    }


def _hashed(identity: tuple[str, frozenset[tuple[str, str]]]) -> str:
    version, operations = identity
    return hashlib.sha256(json.dumps([version, sorted(operations)]).encode()).hexdigest()
