import httpx
import pytest

from tests.api.answers import problem
from tests.api.conftest import Running

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_unknown_path_and_method_are_told(api: httpx.AsyncClient) -> None:
    assert problem(await api.get("/nothing")) == (404, "not_found", "there is nothing at /api/v1/nothing: see /docs")
    text = "DELETE is not possible at /api/v1/status"
    assert problem(await api.delete("/status")) == (405, "method_not_allowed", text)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"name": "a", "nmae": 1}', "nmae: there is no such field"),
        ("{}", "name is missing"),
        ('{"name": 5}', "name: input should be a valid string, not 5"),
        ('{"name": "a", "description": null}', "description: input should be a valid string"),
        ('{"name": "a"', "the body is not JSON at byte 12: Expecting ',' delimiter"),
        ("", "body is missing"),
        ('{"name": "\\ud800"}', "body: there is a lone surrogate in it, which is no character"),
    ],
)
async def test_wrong_body_is_told_in_one_sentence(api: httpx.AsyncClient, body: str, text: str) -> None:
    answer = await api.post("/applications", content=body, headers={"Content-Type": "application/json"})
    status, code, message = problem(answer)
    assert (status, code, message.startswith(text)) == (422, "invalid", True), message


async def test_keys_are_not_repeated_in_refusals(api: httpx.AsyncClient) -> None:
    secret = "2b7e151628aed2a6abf7158809cf4f3c99"
    answer = await api.post("/devices", json={"dev_eui": "70b3d57eda000002", "app_key": secret})
    assert problem(answer) == (422, "invalid", "app_key: the key has 34 characters: 32 hex digits are needed")
    answer = await api.post("/devices", json={"dev_eui": "70b3d57eda000002", "app_key": int(secret, 16)})
    assert problem(answer) == (422, "invalid", "app_key: input should be a valid string")


async def test_all_wrong_fields_are_told_at_once(api: httpx.AsyncClient) -> None:
    answer = await api.get("/devices", params={"limit": 0, "after": "x"})
    text = "limit: input should be greater than or equal to 1, not '0'; after: 'x' is not the 'next' of a page"
    assert problem(answer) == (422, "invalid", text)


async def test_a_full_disk_is_told(running: Running, api: httpx.AsyncClient) -> None:
    registry = running.server.registry
    # SQLite's own limit of pages answers as a full disk does; it lasts as long as the connections of the pool
    registry._database.close()
    with registry._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    rows = [{"dev_eui": f"70b3d57edb{i:06x}", "app_key": "00" * 16} for i in range(1000)]
    answer = await api.post("/devices/bulk", json={"devices": rows})
    assert problem(answer) == (503, "store", f"cannot write the database {registry.path}: the disk is full")
    registry._database.close()
