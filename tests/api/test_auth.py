from typing import Any

import httpx
import pytest

from tests.api.answers import ok, problem
from tests.api.conftest import Running

pytestmark = pytest.mark.asyncio(loop_scope="package")

OPEN = {"/metrics", "/healthz", "/readyz"}
EXAMPLES = {
    "dev_eui": "70b3d57eda000001",
    "eui": "a84041ffff000001",
    "name": "none",
    "id": "none",
    "field": "t",
    "group_id": 7,
    "origin": "none",
    "codec": "none",
    "version": "1",
    "application": "none",
    "outlet": "none",
    "application_id": "none",
    "webhook_id": "none",
    "device_id": "none",
    "verb": "push",
}


async def operations(running: Running) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path with values and description of every documented route."""
    async with running.client() as client:
        document = ok(await client.get("/openapi.json"))
    return [
        (method.upper(), path.format(**EXAMPLES), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


async def test_every_route_but_metrics_and_health_needs_a_key(running: Running) -> None:
    async with running.client() as client:
        for method, path, operation in await operations(running):
            answer = await client.request(method, path)
            if path in OPEN:
                assert (answer.status_code, "security" in operation) == (200, False), path
            else:
                text = "an API key is needed: send the header 'Authorization: Bearer lns_...'"
                assert problem(answer) == (401, "unauthorized", text), path
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert operation["security"] == [{"API key": []}]


async def key(api: httpx.AsyncClient, *permissions: str, **more: Any) -> str:
    made = ok(await api.post("/keys", json={"name": "-".join(permissions), "permissions": permissions, **more}), 201)
    return str(made["secret"])


async def test_every_route_needs_its_permission(running: Running, api: httpx.AsyncClient) -> None:
    clients = {name: running.client(await key(api, name)) for name in ("read", "write", "keys:read")}
    for method, path, _ in await operations(running):
        if path in OPEN or path.endswith("/events/stream"):
            continue
        needed = "admin" if path.startswith("/api/v1/keys") else "read" if method == "GET" else "write"
        if method == "GET" and path.endswith(("/keys", "/session")) and needed == "read":
            needed = "keys:read"
        for permission, client in clients.items():
            answer = await client.request(method, path)
            if permission == needed:
                assert answer.status_code not in (401, 403), (method, path)
            else:
                text = (
                    f"key '{permission}' has permission {permission}, this needs {needed}: "
                    f"make one with 'lns key create NAME --permission {needed}'"
                )
                assert problem(answer) == (403, "forbidden", text), (method, path)
    for client in clients.values():
        await client.aclose()


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("Bearer x", "the API key is not one: a key reads lns_<id>_<secret>, make one with 'lns key create'"),
        (
            f"Bearer lns_{'0' * 12}_{'0' * 64}",
            "the API key is not known, it may have been revoked: make one with 'lns key create'",
        ),
        ("Basic eDp5", "an API key is needed: send the header 'Authorization: Bearer lns_...'"),
        ("", "an API key is needed: send the header 'Authorization: Bearer lns_...'"),
    ],
)
async def test_what_is_no_key_is_told_why(running: Running, header: str, text: str) -> None:
    async with running.client() as client:
        answer = await client.get("/api/v1/status", headers={"Authorization": header})
    assert problem(answer) == (401, "unauthorized", text)


async def test_expired_and_revoked_keys_are_refused(running: Running, api: httpx.AsyncClient) -> None:
    async with running.client(await key(api, "read", expires_in_days=1e-12)) as client:
        text = "the API key has expired: make a new one with 'lns key create'"
        assert problem(await client.get("/api/v1/status")) == (401, "unauthorized", text)
    made = ok(await api.post("/keys", json={"name": "short", "permissions": ["read"]}), 201)
    async with running.client(made["secret"]) as client:
        ok(await client.get("/api/v1/status"))
        ok(await api.delete(f"/keys/{made['id']}"), 204)
        assert problem(await client.get("/api/v1/status"))[0] == 401


async def test_admin_may_do_everything_but_read_keys(running: Running, api: httpx.AsyncClient) -> None:
    async with running.client(await key(api, "admin")) as client:
        for path in ("status", "devices", "keys"):
            ok(await client.get(f"/api/v1/{path}"))
        text = (
            "key 'admin' has permission admin, this needs keys:read: "
            "make one with 'lns key create NAME --permission keys:read'"
        )
        answer = await client.get("/api/v1/devices/70b3d57eda000001/keys")
        assert problem(answer) == (403, "forbidden", text)


async def test_use_that_cannot_be_stored_costs_no_request(
    running: Running, api: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    made = ok(await api.post("/keys", json={"name": "reader", "permissions": ["read"]}), 201)
    registry = running.server.registry
    registry._database.close()
    path, aside = registry.path, registry.path.with_suffix(".aside")
    path.rename(aside)
    path.mkdir()
    async with running.client(made["secret"]) as client:
        answer = await client.get("/api/v1/refusals")
    path.rmdir()
    aside.rename(path)
    ok(answer)
    assert f"use of key {made['id']} at " in caplog.text
