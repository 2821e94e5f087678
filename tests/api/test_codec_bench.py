import httpx
import pytest

from tests.api.answers import ok, problem, without
from tests.api.conftest import Running
from tests.api.radio import Gateway, abp_session, frame

pytestmark = pytest.mark.asyncio(loop_scope="package")

SOURCE = "function decodeUplink(input) { return { data: { t: input.bytes[0] / 2 } }; }"
HALF = {
    "type": "uplink",
    "description": "mild",
    "input": {"bytes": [43], "fPort": 2},
    "output": {"data": {"t": 21.5}},
}
COLD = {**HALF, "description": "cold", "output": {"data": {"t": -1}}}


async def test_codec_is_run_by_hand(api: httpx.AsyncClient) -> None:
    ran = ok(await api.post("/codecs/run", json={"source": SOURCE, "fport": 2, "payload": "2b"}))
    assert without(ran, "duration_us", "memory_bytes") == {
        "data": {"t": 21.5},
        "normalized": None,
        "measurements": [{"field": "t", "value": 21.5, "unit": None, "at": None}],
        "suggestions": [{"field": "t", "names": ran["suggestions"][0]["names"]}],
        "warnings": [],
        "errors": [],
        "error": None,
        "logs": [],
        "state": None,
        "input": {"payload": "2b", "fport": 2},
    }
    assert 0 < ran["duration_us"] < 1_000_000
    assert 100_000 < ran["memory_bytes"] < 64_000_000
    lpp = ok(await api.post("/codecs/run", json={"codec": "cayenne-lpp", "fport": 1, "payload": "01670110"}))
    assert (lpp["errors"], lpp["data"] is not None) == ([], True)
    told = "{ data: { t: i.recvTime.getTime(), v: i.variables.a } }"
    clock = f"function decodeUplink(i) {{ console.log('hi'); return {told}; }}"
    body = {"source": clock, "fport": 2, "payload": "2b", "recv_time": "2026-01-31T08:00:00Z", "variables": {"a": "b"}}
    ran = ok(await api.post("/codecs/run", json=body))
    assert (ran["data"], ran["logs"]) == ({"t": 1_769_846_400_000, "v": "b"}, ["hi"])


async def test_what_would_be_stored_is_shown_beside_the_data(api: httpx.AsyncClient) -> None:
    source = "function decodeUplink(i) { return { data: { air: { temperature: 300 }, battery_mv: 3600, zorp: 1 } }; }"
    ran = ok(await api.post("/codecs/run", json={"source": source, "fport": 2, "payload": "2b"}))
    rows = {row["field"]: (row["value"], row["unit"]) for row in ran["measurements"]}
    assert rows == {"flagged.air.temperature": (300, None), "battery": (3.6, "V"), "zorp": (1, None)}
    assert [text.split(" is ")[0] for text in ran["warnings"]] == ["air.temperature"]
    assert ran["suggestions"] == [{"field": "zorp", "names": []}]


async def test_context_is_what_the_script_sees(api: httpx.AsyncClient) -> None:
    keys = "name: i.deviceName, floor: i.tags.floor, rssi: i.gateways[0].rssi, dr: i.dr, sf: i.dataRate"
    keys += ", hz: i.frequency, join: i.joinEUI, app: i.applicationName, before: i.previous.t"
    context = {
        "name": "cellar",
        "tags": {"floor": "-1"},
        "join_eui": "70b3d57ed0000000",
        "application": "house",
        "dr": 5,
        "data_rate": "SF7BW125",
        "freq_hz": 868_100_000,
        "gateways": [{"eui": "a84041ffff1e8f2c", "rssi": -70}],
        "previous": {"t": 20},
    }
    source = f"function decodeUplink(i) {{ return {{ data: {{ {keys} }} }}; }}"
    body = {"source": source, "fport": 2, "payload": "2b", "context": context}
    ran = ok(await api.post("/codecs/run", json=body))
    assert ran["data"] == {
        "name": "cellar",
        "floor": "-1",
        "rssi": -70,
        "dr": 5,
        "sf": "SF7BW125",
        "hz": 868_100_000,
        "join": "70b3d57ed0000000",
        "app": "house",
        "before": 20,
    }


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"fport": 1, "payload": "00"}, 422, "give source or codec, one of them"),
        ({"fport": 1, "payload": "00", "source": SOURCE, "codec": "x"}, 422, "give source or codec, one of them"),
        ({"fport": 1, "payload": "0g", "source": SOURCE}, 422, "payload is not hex"),
        ({"fport": 1, "payload": "00", "codec": "nothing"}, 404, "codec 'nothing' does not exist"),
        ({"fport": 1, "payload": "00", "codec": "cayenne-lpp@draft"}, 404, "codec 'cayenne-lpp' has no draft version"),
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


async def test_failing_script_is_an_answer_with_line_column_and_the_offending_input(api: httpx.AsyncClient) -> None:
    source = "function decodeUplink(input) {\n  return input.nothing.x;\n}"
    ran = ok(await api.post("/codecs/run", json={"source": source, "fport": 2, "payload": "2b"}))
    assert (ran["data"], ran["measurements"]) == (None, [])
    assert len(ran["errors"]) == 1
    assert ran["errors"][0].startswith("exception: ")
    assert "at line 2, column" in ran["errors"][0]
    assert (ran["error"]["reason"], ran["error"]["line"]) == ("exception", 2)
    lines = ran["error"]["excerpt"].split("\n")
    assert lines[:2] == ["1 | function decodeUplink(input) {", "2 |   return input.nothing.x;"]
    assert ran["input"] == {"payload": "2b", "fport": 2}


async def test_examples_are_run_without_storing_anything(api: httpx.AsyncClient) -> None:
    ran = ok(await api.post("/codecs/test", json={"source": SOURCE, "examples": [HALF, COLD]}))
    assert (ran["convention"], ran["passed"], ran["failed"]) == ("ts013", 1, 1)
    good, bad = ran["outcomes"]
    assert (good["passed"], good["differences"]) == (True, [])
    assert without(bad, "duration_us", "memory_bytes") == {
        "description": "cold",
        "type": "uplink",
        "passed": False,
        "differences": [{"path": "data.t", "expected": -1, "got": 21.5}],
        "input": {"payload": "2b", "fport": 2},
        "got": {"data": {"t": 21.5}},
        "error": None,
        "logs": [],
    }
    ok(await api.post("/codecs", json={"name": "b1", "source": SOURCE, "examples": [HALF]}), 201)
    assert ok(await api.post("/codecs/test", json={"codec": "b1"}))["passed"] == 1
    assert ok(await api.post("/codecs/test", json={"codec": "b1@1", "examples": [COLD]}))["failed"] == 1
    assert [c["name"] for c in ok(await api.get("/codecs"))["items"]].count("b1") == 1
    missing = problem(await api.post("/codecs/test", json={"source": SOURCE}))
    assert missing[::2] == (422, "give examples: a source that is not stored has none")


async def test_downlinks_are_examples_too(api: httpx.AsyncClient) -> None:
    both = SOURCE + (
        "\nfunction encodeDownlink(i) { return { fPort: 7, bytes: [i.data.every] }; }"
        "\nfunction decodeDownlink(i) { return { data: { every: i.bytes[0] } }; }"
    )
    encode = {"type": "downlink-encode", "input": {"data": {"every": 9}}, "output": {"fPort": 7, "bytes": [9]}}
    decode = {"type": "downlink-decode", "input": {"bytes": [9], "fPort": 7}, "output": {"data": {"every": 8}}}
    ran = ok(await api.post("/codecs/test", json={"source": both, "examples": [encode, decode]}))
    assert [(o["type"], o["passed"]) for o in ran["outcomes"]] == [
        ("downlink-encode", True),
        ("downlink-decode", False),
    ]
    assert ran["outcomes"][0]["input"] == {"data": {"every": 9}, "fport": 1}


async def test_uplink_that_came_in_becomes_an_example(running: Running, api: httpx.AsyncClient) -> None:
    eui, gateway_eui = "70b3d57eda650001", "a84041ffff650001"
    ok(await api.post("/codecs", json={"name": "b2", "source": SOURCE, "examples": [HALF]}), 201)
    device = {"dev_eui": eui, "codec": "b2", "variables": {"site": "roof"}, "abp": abp_session("00650001")}
    ok(await api.post("/devices", json=device), 201)
    where = "/codecs/b2/versions/active/examples"
    none_yet = problem(await api.post(where, json={"device": eui}))
    assert none_yet[::2] == (404, f"none of the last 100000 uplinks is one of {eui} with a payload")
    ok(await api.post(f"/gateways/{gateway_eui}/accept"))
    with Gateway(running.server, gateway_eui) as gateway:
        await gateway.causes(frame("00650001", 3, 2, b"\x15"), "decoded")
    kept = ok(await api.post(where, json={"device": eui, "description": "frost"}), 201)
    assert (kept["passed"], kept["failed"], len(kept["examples"])) == (2, 0, 2)
    added = kept["examples"][1]
    assert (added["type"], added["description"]) == ("uplink", "frost")
    assert without(added["input"], "recvTime") == {"bytes": [21], "fPort": 2, "variables": {"site": "roof"}}
    assert added["output"] == {"data": {"t": 10.5}}
    newest = await running.server.exchange.read_back(running.server.exchange.head_seq + 1, "uplink", 1)
    again = ok(await api.post(where, json={"uplink_seq": newest[0].seq}), 201)
    assert again["examples"][2]["description"] == f"uplink 3 of {eui}"
    assert ok(await api.get("/codecs/b2"))["examples"] == again["examples"]
    kept = ok(await api.put("/codecs/b2/versions/1/examples", json={"examples": [COLD]}))
    assert kept == {"examples": [COLD], "passed": 0, "failed": 1}


async def test_examples_that_cannot_be_added_are_told(api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "b3", "source": SOURCE}), 201)
    where = "/codecs/b3/versions/1/examples"
    one_of = (422, "give example, uplink_seq or device, one of them")
    assert problem(await api.post(where, json={}))[::2] == one_of
    assert problem(await api.post(where, json={"example": HALF, "uplink_seq": 1}))[::2] == one_of
    missing = problem(await api.post(where, json={"uplink_seq": 999_999_999}))
    assert missing[::2] == (404, "the log has no uplink with a payload at 999999999")
    unknown = problem(await api.post(where, json={"device": "70b3d57eda65ffff"}))
    assert unknown[::2] == (404, "device 70b3d57eda65ffff does not exist")
    nowhere = problem(await api.post("/codecs/b3/versions/2/examples", json={"example": HALF}))
    assert nowhere[::2] == (404, "codec 'b3' has no version 2, it has 1 to 1")
    many = problem(await api.post("/codecs/test", json={"codec": "b3", "examples": [HALF] * 501}))
    assert many[::2] == (422, "there are 501 examples, at most 500 fit")
