"""Cache headers as the vendors send them."""

import pytest

from redeploy.http.caches import from_cache


@pytest.mark.parametrize(
    "headers",
    [
        {"age": "7"},
        {"x-cache": "HIT"},
        {"x-cache": "Hit from cloudfront"},
        {"x-cache": "HIT from proxy.example.com"},
        {"x-cache": "TCP_MEM_HIT from a23-4-5-6.deploy.akamaitechnologies.com (AkamaiGHost/11.4)"},
        {"x-cache": "MISS, HIT"},
        {"x-cache-status": "STALE"},
        {"x-cache-status": "UPDATING"},
        {"x-proxy-cache": "stale"},
        {"x-fastcgi-cache": "HIT"},
        {"x-nextjs-cache": "STALE"},
        {"x-cache": "TCP_NEGATIVE_HIT from a23-4-5-6.deploy.akamaitechnologies.com"},
        {"x-cache": "TCP_REFRESH_FAIL_HIT from a23-4-5-6.deploy.akamaitechnologies.com"},
        {"x-cache": "TCP_REMOTE_HIT"},
        {"x-77-cache": "HIT"},
        {"akamai-cache-status": "Hit from child"},
        {"server-timing": "cdn-cache; desc=HIT, edge; dur=1"},
        {"age": "12, 3"},
        {"x-vercel-cache": "HIT"},
        {"cf-cache-status": "UPDATING"},
        {"x-varnish": "32770 3"},
        {"x-varnish": "32770 3, 98310"},
        {"cache-status": "ExampleCache; hit; ttl=30"},
        {"cache-status": '"Netlify, Edge"; fwd=miss, "a; cache"; hit'},
        {"cache-status": "HIT"},
    ],
    ids=str,
)
def test_a_response_from_a_cache_is_recognised(headers: dict[str, str]) -> None:
    assert from_cache(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"age": "0"},
        {"age": "soon"},
        {"x-cache": "MISS from white-proxy"},
        {"x-cache": "MISS from hit.example.com"},
        {"x-cache": "Miss from cloudfront"},
        {"x-cache": "RefreshHit from cloudfront"},
        {"x-cache": "TCP_REFRESH_HIT from a23-4-5-6.deploy.akamaitechnologies.com"},
        {"x-cache": "CONFIG_NOCACHE"},
        {"x-nextjs-cache": "HIT"},
        {"x-rack-cache": "stale, valid, store"},
        {"x-drupal-dynamic-cache": "HIT"},
        {"server-timing": "cdn-cache; desc=MISS, origin; dur=80"},
        {"x-cache": "TCP_MISS from stale-cache"},
        {"x-cache": "MISS", "x-cache-lookup": "HIT from proxy:3128"},
        {"x-cache": "hit-for-pass"},
        {"x-cache-hits": "3"},
        {"x-cache-status": "EXPIRED"},
        {"x-cache-status": "REVALIDATED"},
        {"x-cache-status": "BYPASS"},
        {"x-cache-status": "whitehit"},
        {"cf-cache-status": "DYNAMIC"},
        {"x-varnish": "32770"},
        {"x-varnish": "32770, 98310"},
        {"cache-status": "hit-cache; fwd=miss; stored"},
        {"cache-status": '"hit"; fwd=stale'},
        {"cache-status": '"a; hit"; fwd=uri-miss'},
        {"cache-status": "ExampleCache; hit=?0"},
    ],
    ids=str,
)
def test_a_response_of_the_service_is_not_taken_for_a_cached_one(headers: dict[str, str]) -> None:
    assert not from_cache(headers)
