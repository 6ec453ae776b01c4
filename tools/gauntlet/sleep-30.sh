#!/usr/bin/env bash
# What most workflows have: trigger, sleep 30, one look at health.
set -e

nap() { sleep "$(awk "BEGIN { print $1 * $SCALE }")"; }

curl -fsS -X POST "$UPDATE_URL" -H "Authorization: Bearer $TOKEN"
nap 30
curl -fsS "$BASE_URL/api/ready"
