"""The routes of outlets and deliveries: what they refuse and in which words; what is sent is tested as a whole."""

from typing import Any

import httpx
import pytest

from tests.api.answers import ok, problem

pytestmark = pytest.mark.asyncio(loop_scope="package")

WHERE = "/applications/default/outlets"
HOOK: dict[str, Any] = {"name": "routes", "kind": "webhook", "settings": {"url": "https://example.com/hook"}}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "No"}, "name is 'No', expected str matching regex '^[a-z0-9][a-z0-9._-]{0,62}$'"),
        ({"sending": {"at_once": 65}}, "sending.at_once is 65, expected int <= 64"),
        ({"sending": {"schedule": {"refusals": 0}}}, "sending.schedule.refusals is 0, expected int >= 1"),
        ({"sending": {"bach": 1}}, "sending has no field 'bach'; did you mean batch"),
        ({"filter": {"events": "uplink"}}, "filter.events is 'uplink', expected array, got str"),
        ({"settings": {}}, "settings of the webhook outlet: url is missing"),
        ({"from_seq": 1, "from_time": "2026-01-01T00:00:00Z"}, "give from_time or from_seq, one of them"),
        ({"sending": {"breaker": {"row": 0}}}, "sending.breaker.row is 0, expected int >= 1"),
    ],
)  # fmt: skip
async def test_a_wrong_definition_is_refused_with_key_value_and_limit(
    api: httpx.AsyncClient, change: dict[str, Any], text: str
) -> None:
    assert problem(await api.post(WHERE, json=HOOK | change)) == (422, "invalid", text)
    assert ok(await api.get("/outlets", params={"application": "default"}))["items"] == []


async def test_keys_are_changed_one_by_one_and_null_is_the_default(api: httpx.AsyncClient) -> None:
    ok(await api.post(WHERE, json=HOOK | {"sending": {"batch": 7, "schedule": {"refusals": 9}}, "paused": True}), 201)
    changed = ok(await api.patch(f"{WHERE}/routes", json={"sending": {"schedule": {"waits_s": [1]}, "batch": None}}))
    sending = changed["sending"]
    assert (sending["batch"], sending["schedule"]["refusals"], sending["schedule"]["waits_s"]) == (1, 9, [1.0])
    assert changed["state"] == "paused"
    changed = ok(await api.patch(f"{WHERE}/routes", json={"filter": {"tags": {"site": ""}}, "format": "chirpstack"}))
    assert (changed["filter"]["tags"], changed["format"]) == ({"site": ""}, "chirpstack")
    refused = problem(await api.patch(f"{WHERE}/routes", json={"settings": {"url": None}}))
    assert refused == (422, "invalid", "settings of the webhook outlet: url is missing")
    assert ok(await api.get(f"{WHERE}/routes"))["settings"] == HOOK["settings"]
    exists = problem(await api.post(WHERE, json=HOOK))
    assert exists == (409, "conflict", "application 'default' has an outlet 'routes' already")
    ok(await api.delete(f"{WHERE}/routes"))


async def test_what_does_not_exist_is_said(api: httpx.AsyncClient) -> None:
    assert problem(await api.get(f"{WHERE}/nothing"))[2] == "application 'default' has no outlet 'nothing'"
    assert (
        problem(await api.post("/applications/nowhere/outlets", json=HOOK))[2] == "application 'nowhere' does not exist"
    )
    assert problem(await api.get("/deliveries/999999"))[2] == "there is no delivery 999999 (any more)"
    assert problem(await api.get("/deliveries", params={"outlet": "nothing"}))[0] == 404
    assert ok(await api.get("/deliveries", params={"application": "default", "outlet": "nothing"}))["items"] == []


@pytest.mark.parametrize("verb", ["retry", "drop"])
async def test_all_deliveries_are_meant_only_where_that_is_said(api: httpx.AsyncClient, verb: str) -> None:
    text = "say which deliveries: by ids, by a filter, or all of them with all"
    assert problem(await api.post(f"/deliveries/{verb}", json={})) == (422, "invalid", text)
    assert ok(await api.post(f"/deliveries/{verb}", json={"all": True})) == {"count": 0, "dry_run": False}


async def test_secrets_are_not_sent_to_another_host_by_a_change(api: httpx.AsyncClient) -> None:
    settings = {"url": "https://example.com/hook?key=k3y", "headers": {"x-key": "k3y"}, "query": "token=k3y"}
    made = ok(await api.post(WHERE, json=HOOK | {"name": "kept", "settings": settings, "paused": True}), 201)
    shown = {"url": "https://example.com/hook?key=***", "headers": {"x-key": "***"}, "query": "token=***"}
    assert made["settings"] == shown
    text = "settings.url changes where secrets go: give headers.x-key, query.token anew, or take them away"
    where = f"{WHERE}/kept"
    assert problem(await api.patch(where, json={"settings": {"url": "https://other.example"}})) == (
        422,
        "invalid",
        text,
    )
    again = {"settings": shown | {"url": "https://other.example"}}
    assert problem(await api.patch(where, json=again)) == (422, "invalid", text)
    same = ok(await api.patch(where, json={"settings": shown | {"timeout_s": 3}}))
    assert same["settings"] == shown | {"timeout_s": 3}
    anew = {"url": "https://other.example", "headers": {"x-key": "new"}, "query": None}
    moved = ok(await api.patch(where, json={"settings": anew}))["settings"]
    assert moved == {"url": "https://other.example", "headers": {"x-key": "***"}, "timeout_s": 3}
    ok(await api.delete(where))
