#!/usr/bin/env bash
# The steps of the guide that many set-ups follow: trigger, sleep 10, poll health for two and a half minutes, list the
# routes, look at the status page. GitHub runs a step's script with `bash -e`.
set -e

nap() { sleep "$(awk "BEGIN { print $1 * $SCALE }")"; }

curl -sS -X POST "$UPDATE_URL" -H "Authorization: Bearer $TOKEN"
nap 10

ready=""
for _ in $(seq 30); do
  if curl -fsS "$BASE_URL/api/ready"; then
    ready=yes
    break
  fi
  nap 5
done
[ -n "$ready" ] || { echo "The service did not become ready."; exit 1; }

curl -fsS "$BASE_URL/openapi.json" | jq -r '.paths | keys[]'
curl -fsS "$BASE_URL/api/dev/status"
