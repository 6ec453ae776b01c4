#!/usr/bin/env bash
# The strongest gate that people write by hand: every request is bounded, a refused trigger fails, and health and the
# commit must both be right in the same round. Whatever is not shown fails.
set -euo pipefail

nap() { sleep "$(awk "BEGIN { print $1 * $SCALE }")"; }
bounded() { curl -fsS --max-time "$(awk "BEGIN { print $1 * $SCALE }")" "${@:2}"; }

bounded 120 -o /dev/null -X POST "$UPDATE_URL" -H "Authorization: Bearer $TOKEN"

for _ in $(seq 30); do
  if bounded 10 -o /dev/null "$BASE_URL/api/ready" && bounded 10 "$BASE_URL/api/dev/status" | grep -qF "$EXPECTED"; then
    echo "$EXPECTED is live."
    exit 0
  fi
  nap 5
done
echo "$EXPECTED was not seen."
exit 1
