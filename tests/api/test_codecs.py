import hashlib

import httpx
import pytest

from tests.api.answers import ok, problem, without

pytestmark = pytest.mark.asyncio(loop_scope="package")

SOURCE = "function decodeUplink(input) { return { data: { t: input.bytes[0] / 2 } }; }"
LATER = "function decodeUplink(input) { return { data: { t: input.bytes[0] } }; }"


async def test_versions_are_uploaded_shown_and_switched(api: httpx.AsyncClient) -> None:
    made = ok(await api.post("/codecs", json={"name": "c1", "source": SOURCE, "note": "first"}), 201)
    first = {
        "version": 1,
        "sha256": hashlib.sha256(SOURCE.encode()).hexdigest(),
        "convention": "ts013",
        "note": "first",
    }
    assert without(made, "created_at") == {**first, "codec": "c1", "active": True}
    body = {"source": LATER, "activate": False}
    second = ok(await api.post("/codecs/c1/versions", json=body), 201)
    assert (second["version"], second["active"], second["note"]) == (2, False, "")
    shown = ok(await api.get("/codecs/c1"))
    assert (shown["active_version"], shown["source"], len(shown["versions"])) == (1, SOURCE, 2)
    assert without(shown["versions"][0], "created_at") == first
    assert ok(await api.get("/codecs/c1", params={"version": 2}))["source"] == LATER
    activated = ok(await api.post("/codecs/c1/activate", json={"version": 2}))
    assert (activated["version"], activated["active"]) == (2, True)
    listed = {codec["name"]: without(codec, "created_at") for codec in ok(await api.get("/codecs"))["items"]}
    assert listed["c1"] == {"name": "c1", "active_version": 2, "versions": 2, "convention": "ts013"}
    assert listed["cayenne-lpp"]["convention"] == "builtin"
    assert ok(await api.get("/codecs/cayenne-lpp"))["source"] == ""


async def test_refusals_are_told(api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "c2", "source": SOURCE}), 201)

    async def told(path: str, body: dict[str, object] | None) -> tuple[int, str]:
        answer = await (api.get(path) if body is None else api.post(path, json=body))
        return problem(answer)[::2]

    assert await told("/codecs", {"name": "c2", "source": LATER}) == (
        409,
        "codec 'c2' exists already: add a version to it",
    )
    same = "codec 'c2' has this source already, as version 1: activate that"
    assert await told("/codecs/c2/versions", {"source": SOURCE}) == (409, same)
    assert await told("/codecs/c2/activate", {"version": 9}) == (404, "codec 'c2' has no version 9, it has 1 to 1")
    assert await told("/codecs/c2?version=9", None) == (404, "codec 'c2' has no version 9, it has 1 to 1")
    assert await told("/codecs/nothing", None) == (404, "codec 'nothing' does not exist")
    status, text = await told("/codecs", {"name": "c3", "source": "function decodeUplink(input {\n}"})
    assert (status, text.startswith("source: syntax: "), "at line 1, column" in text) == (422, True, True)


async def test_codec_is_run_by_hand(api: httpx.AsyncClient) -> None:
    ran = ok(await api.post("/codecs/run", json={"source": SOURCE, "fport": 2, "payload": "2b"}))
    assert without(ran, "duration_us") == {"data": {"t": 21.5}, "warnings": [], "errors": [], "logs": []}
    lpp = ok(await api.post("/codecs/run", json={"codec": "cayenne-lpp", "fport": 1, "payload": "01670110"}))
    assert (lpp["errors"], lpp["data"] is not None) == ([], True)
    told = "{ data: { t: i.recvTime.getTime(), v: i.variables.a } }"
    clock = f"function decodeUplink(i) {{ console.log('hi'); return {told}; }}"
    body = {"source": clock, "fport": 2, "payload": "2b", "recv_time": "2026-01-31T08:00:00Z", "variables": {"a": "b"}}
    ran = ok(await api.post("/codecs/run", json=body))
    assert (ran["data"], ran["logs"]) == ({"t": 1_769_846_400_000, "v": "b"}, ["hi"])


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"fport": 1, "payload": "00"}, 422, "give source or codec, one of them"),
        ({"fport": 1, "payload": "00", "source": SOURCE, "codec": "x"}, 422, "give source or codec, one of them"),
        ({"fport": 1, "payload": "0g", "source": SOURCE}, 422, "payload is not hex"),
        ({"fport": 1, "payload": "00", "codec": "nothing"}, 404, "codec 'nothing' does not exist"),
        ({"fport": 256, "payload": "00"}, 422, "fport: input should be less than or equal to 255, not 256"),
        (
            {"fport": 1, "payload": "00", "source": SOURCE, "recv_time": "noon"},
            422,
            "recv_time: 'noon' is not a time such as 2026-01-31T08:00:00Z",
        ),
    ],
)
async def test_run_that_cannot_be_is_told(
    api: httpx.AsyncClient, body: dict[str, object], status: int, text: str
) -> None:
    assert problem(await api.post("/codecs/run", json=body))[::2] == (status, text)


async def test_failing_script_is_an_answer_with_line_and_column(api: httpx.AsyncClient) -> None:
    source = "function decodeUplink(input) {\n  return input.nothing.x;\n}"
    ran = ok(await api.post("/codecs/run", json={"source": source, "fport": 2, "payload": "2b"}))
    assert ran["data"] is None
    assert len(ran["errors"]) == 1
    assert ran["errors"][0].startswith("exception: ")
    assert "at line 2, column" in ran["errors"][0]
