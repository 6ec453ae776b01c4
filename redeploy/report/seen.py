"""What was seen of a service, for a later run to compare with."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping

from redeploy.rollout.service_state import Watch
from redeploy.text.untrusted import one_line

MOST_NAMES = 64
MOST_VALUES = 8
"""Values of one name; the last ones are kept."""


def seen(watch: Watch, now: float) -> Mapping[str, object]:
    """Return build names with their kinds, noisy fields, digests, process starts and contract, as JSON values.

    `now` is in monotonic seconds.
    """
    samples = [*watch.baseline, *watch.samples]
    names: dict[str, dict[str, None]] = {}
    kinds: dict[str, str] = {}
    starts: dict[str, float] = {}
    for sample in samples:
        for path, name in sample.names.items():
            values = names.setdefault(one_line(watch.redact(path)), {})
            values.pop(one_line(name), None)
            values[one_line(name)] = None
            if path in sample.ranks:
                kinds[one_line(watch.redact(path))] = sample.ranks[path].kind.name.lower()
        starts |= {one_line(watch.redact(path)): start.told for path, start in sample.starts.items()}
    told = watch.running.told[-1] if watch.running.told else None
    timed = next((sample for sample in reversed(samples) if sample.wall), None)
    ended = dt.datetime.fromtimestamp(timed.wall + now - timed.at, dt.UTC) if timed else None
    contract = watch.checking.documents[-1][1] if watch.checking.documents else watch.checking.before_if_read
    return {
        "url": watch.plan.service.base_url,
        "names": [
            {"field": path, "kind": kinds.get(path, ""), "values": list(values)[-MOST_VALUES:]}
            for path, values in list(names.items())[:MOST_NAMES]
        ],
        "noisy": sorted(one_line(watch.redact(path)) for path in watch.noise)[:MOST_NAMES],
        "digests": [told.digest] if told and told.digest else [],
        "container": one_line(watch.redact(told.container)) if told else "",
        "starts": [{"field": path, "seconds": round(at, 3)} for path, at in list(starts.items())[:MOST_NAMES]],
        "contract": _hashed(contract.identity) if contract else "",
        "ended": ended.isoformat(timespec="seconds").replace("+00:00", "Z") if ended else "",
    }


def _hashed(identity: tuple[str, frozenset[tuple[str, str]]]) -> str:
    version, operations = identity
    return hashlib.sha256(json.dumps([version, sorted(operations)]).encode()).hexdigest()
