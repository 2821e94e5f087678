import asyncio

import httpx
import pytest

from lns.api.routes.imports import MAX_BODY_BYTES
from tests.api.answers import ok, problem
from tests.api.conftest import Running
from tests.api.radio import abp_session

pytestmark = pytest.mark.asyncio(loop_scope="package")

APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
CSV = {"Content-Type": "text/csv"}


async def test_csv_is_tried_then_imported(running: Running, api: httpx.AsyncClient) -> None:
    text = f"dev_eui,app_key\n70b3d57eda300001,{APP_KEY}\nfoo,{APP_KEY}\n70b3d57eda300002,{APP_KEY}\n"
    expected = [
        {"line": 2, "dev_eui": "70b3d57eda300001", "ok": True, "error": None},
        {
            "line": 3,
            "dev_eui": "foo",
            "ok": False,
            "error": "dev_eui: 'foo' is not an EUI: 16 hex digits are needed",
        },
        {"line": 4, "dev_eui": "70b3d57eda300002", "ok": True, "error": None},
    ]
    tried = ok(await api.post("/devices/import", params={"dry_run": True}, content=text, headers=CSV))
    assert tried == {"rows": expected, "created": 0, "failed": 1, "dry_run": True}
    assert "70b3d57eda300001" not in running.server.network.devices.by_eui
    done = ok(await api.post("/devices/import", content=text, headers=CSV))
    assert done == {"rows": expected, "created": 2, "failed": 1, "dry_run": False}
    assert "70b3d57eda300001" in running.server.network.devices.by_eui
    again = ok(await api.post("/devices/import", content=text, headers=CSV))
    assert [again["created"], again["rows"][0]["error"]] == [0, "device 70b3d57eda300001 exists already"]


async def test_csv_that_cannot_be_read_is_told(api: httpx.AsyncClient) -> None:
    async def told(content: bytes) -> str:
        status, code, text = problem(await api.post("/devices/import", content=content, headers=CSV))
        assert (status, code) == (422, "invalid")
        return text

    assert await told(b"dev_eui\nabc\n\xff\n") == "line 3 is not UTF-8: save the file as UTF-8"
    assert (await told(b"eui\n")).startswith("line 1: column 'eui' is not known, known are dev_eui, name,")
    assert (await told(b"")).startswith("line 1: the file is empty")


async def test_body_that_is_too_large_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post("/devices/import", content=b"x" * (MAX_BODY_BYTES + 1), headers=CSV)
    assert problem(answer) == (413, "too_large", f"the body is larger than {MAX_BODY_BYTES} bytes: send it in parts")


async def test_list_is_created_row_by_row(running: Running, api: httpx.AsyncClient) -> None:
    devices = [
        {"dev_eui": "70b3d57eda310001", "abp": abp_session("00310001")},
        {"dev_eui": "70b3d57eda310002", "nmae": 1},
        {"dev_eui": 5},
        {"dev_eui": "70b3d57eda310003", "app_key": APP_KEY},
        {"dev_eui": "70b3d57eda310001", "app_key": APP_KEY},
        {"dev_eui": "70b3d57eda310004"},
    ]
    done = ok(await api.post("/devices/bulk", json={"devices": devices}))
    assert [(row["line"], row["dev_eui"], row["error"]) for row in done["rows"]] == [
        (1, "70b3d57eda310001", None),
        (2, "70b3d57eda310002", "nmae: there is no such field"),
        (3, None, "dev_eui: input should be a valid string, not 5"),
        (4, "70b3d57eda310003", None),
        (5, "70b3d57eda310001", "device 70b3d57eda310001 is given twice, the first one counts"),
        (
            6,
            "70b3d57eda310004",
            "app_key is missing: an otaa device joins with it (abp: give dev_addr and session keys)",
        ),
    ]
    assert (done["created"], done["failed"]) == (2, 4)
    assert len(running.server.network.devices.sessions.candidates("00310001")) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("[]", "body: Expected `object`, got `array`"),
        ("{", "body: Input data was truncated"),
        ('{"devices": [1]}', "body: Expected `object`, got `int` - at `$.devices[0]`"),
        ('{"device": []}', "body: Object contains unknown field `device`"),
    ],
)
async def test_list_that_is_none_is_told(api: httpx.AsyncClient, body: str, text: str) -> None:
    assert problem(await api.post("/devices/bulk", content=body)) == (422, "invalid", text)


async def test_two_imports_at_once_do_not_hurt_each_other(api: httpx.AsyncClient) -> None:
    parts = [[{"dev_eui": f"70b3d57eda32{i:02x}{n:02x}", "app_key": APP_KEY} for i in range(200)] for n in (0, 1)]
    results = await asyncio.gather(*(api.post("/devices/bulk", json={"devices": part}) for part in parts))
    assert [ok(result)["created"] for result in results] == [200, 200]
