import httpx
import pytest

from tests.api.answers import ok, problem, without

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_application_is_created_shown_changed_and_deleted(api: httpx.AsyncClient) -> None:
    made = ok(await api.post("/applications", json={"name": "app one", "description": "halls"}), 201)
    assert without(made, "created_at") == {"name": "app one", "description": "halls", "devices": 0}
    assert ok(await api.get("/applications/app one")) == made
    changed = ok(await api.patch("/applications/app one", json={"name": "app two"}))
    assert changed == {**made, "name": "app two"}
    listed = ok(await api.get("/applications"))
    assert listed["next"] is None
    assert [a["name"] for a in listed["items"] if a["name"] in ("default", "app two")] == ["app two", "default"]
    ok(await api.delete("/applications/app two"), 204)
    text = "application 'app two' does not exist"
    for answer in (
        await api.get("/applications/app two"),
        await api.patch("/applications/app two", json={}),
        await api.delete("/applications/app two"),
    ):
        assert problem(answer) == (404, "not_found", text)


async def test_conflicts_are_told(api: httpx.AsyncClient) -> None:
    assert problem(await api.post("/applications", json={"name": "default"})) == (
        409,
        "conflict",
        "application 'default' exists already",
    )
    assert problem(await api.delete("/applications/default"))[:2] == (409, "conflict")
    assert problem(await api.post("/applications", json={"name": "a/b"}))[:2] == (422, "invalid")
