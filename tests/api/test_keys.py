import httpx
import pytest

from tests.api.answers import ok, problem, without

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_secret_is_shown_once(api: httpx.AsyncClient) -> None:
    body = {"name": "k1", "permissions": ["write", "read"], "expires_in_days": 90}
    made = ok(await api.post("/keys", json=body), 201)
    assert made["secret"].startswith(f"lns_{made['id']}_")
    assert (made["permissions"], made["last_used_at"], made["expires_at"] > made["created_at"]) == (
        ["read", "write"],
        None,
        True,
    )
    assert without(made, "secret") in ok(await api.get("/keys"))["items"]
    ok(await api.delete(f"/keys/{made['id']}"), 204)
    assert problem(await api.delete(f"/keys/{made['id']}")) == (
        404,
        "not_found",
        f"key '{made['id']}' does not exist",
    )


async def test_refusals_are_told(api: httpx.AsyncClient) -> None:
    async def told(**body: object) -> str:
        status, code, text = problem(await api.post("/keys", json=body))
        assert (status, code) == (422, "invalid")
        return text

    text = "permissions.0: input should be 'read', 'write', 'keys:read' or 'admin', not 'root'"
    assert await told(name="a", permissions=["root"]) == text
    assert (await told(name="a", permissions=[])).startswith("permissions: list should have at least 1 item")
    text = "expires_in_days: input should be greater than 0, not 0"
    assert await told(name="a", permissions=["read"], expires_in_days=0) == text


async def test_last_admin_key_stays(api: httpx.AsyncClient) -> None:
    keys = ok(await api.get("/keys"))["items"]
    admins = [key for key in keys if "admin" in key["permissions"]]
    mine = next(key for key in admins if key["last_used_at"] is not None)
    for key in admins:
        if key["id"] != mine["id"]:
            ok(await api.delete(f"/keys/{key['id']}"), 204)
    status, code, text = problem(await api.delete(f"/keys/{mine['id']}"))
    assert (status, code) == (409, "conflict")
    assert text == f"key {mine['name']!r} is the last one with permission admin: create another one first"
