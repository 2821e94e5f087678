import hashlib

import httpx
import pytest

from tests.api.answers import ok, problem, without

pytestmark = pytest.mark.asyncio(loop_scope="package")

SOURCE = "function decodeUplink(input) { return { data: { t: input.bytes[0] / 2 } }; }"
LATER = "function decodeUplink(input) { return { data: { t: input.bytes[0] } }; }"
LAST = "function decodeUplink(input) { return { data: { t: input.bytes[0] * 2 } }; }"
HALF = {
    "type": "uplink",
    "description": "mild",
    "input": {"bytes": [43], "fPort": 2},
    "output": {"data": {"t": 21.5}},
}
WHY_NOT = "1 of 1 examples fail: 'mild': data.t: expected 21.5, got 43"


async def states(api: httpx.AsyncClient, name: str) -> dict[int, str]:
    """Number to state of a codec's versions."""
    return {v["version"]: v["state"] for v in ok(await api.get(f"/codecs/{name}"))["versions"]}


async def test_versions_are_uploaded_shown_and_switched(api: httpx.AsyncClient) -> None:
    made = ok(await api.post("/codecs", json={"name": "c1", "source": SOURCE, "note": "first"}), 201)
    first = {
        "version": 1,
        "sha256": hashlib.sha256(SOURCE.encode()).hexdigest(),
        "convention": "ts013",
        "note": "first",
        "author": "first admin key",
        "state": "active",
        "examples_passed": 0,
        "examples_failed": 0,
    }
    assert without(made, "created_at") == {**first, "codec": "c1", "active": True, "refused": None}
    body = {"source": LATER, "activate": False}
    second = ok(await api.post("/codecs/c1/versions", json=body), 201)
    assert (second["version"], second["active"], second["state"], second["note"]) == (2, False, "draft", "")
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
    nothing_before = "codec 'c2' has no version that was in use before version 1"
    assert await told("/codecs/c2/rollback", {}) == (409, nothing_before)
    in_use = "version 1 of codec 'c2' is in use: activate another one first"
    assert await told("/codecs/c2/retire", {"version": 1}) == (409, in_use)
    status, text = await told("/codecs", {"name": "c3", "source": "x", "convention": "cobol"})
    assert (status, text[:40]) == (422, "convention is 'cobol', known are ts013, ")


async def test_script_that_cannot_run_is_refused_with_the_lines_around_the_error(api: httpx.AsyncClient) -> None:
    answer = await api.post("/codecs", json={"name": "c3", "source": "function decodeUplink(input {\n}"})
    status, code, text = problem(answer)
    told, *excerpt = text.split("\n")
    assert (status, code) == (422, "invalid")
    assert told.startswith("source: syntax: ")
    assert "at line 1, column" in told
    assert excerpt[0] == "1 | function decodeUplink(input {"
    assert excerpt[1].strip("| ") == "^"
    text = problem(await api.post("/codecs", json={"name": "c3", "source": "var a = 1;"}))[2]
    assert text.startswith("source: syntax: the script has no decoder function")


async def test_examples_are_run_on_upload_and_a_failing_one_leaves_a_draft(api: httpx.AsyncClient) -> None:
    made = ok(await api.post("/codecs", json={"name": "c4", "source": SOURCE, "examples": [HALF]}), 201)
    assert (made["state"], made["examples_passed"], made["refused"]) == ("active", 1, None)
    later = ok(await api.post("/codecs/c4/versions", json={"source": LATER}), 201)
    assert (later["state"], later["examples_failed"], later["refused"]) == ("draft", 1, WHY_NOT)
    refused = problem(await api.post("/codecs/c4/activate", json={"version": 2}))
    assert refused == (409, "examples_fail", f"{WHY_NOT}; mend it, or give a reason to use it all the same")
    forced = {"version": 2, "force_reason": "the example is wrong"}
    assert ok(await api.post("/codecs/c4/activate", json=forced))["state"] == "active"
    (newest, first) = ok(await api.get("/codecs/c4"))["activations"]
    assert without(newest, "at") == {
        "version": 2,
        "replaced": 1,
        "rollback": False,
        "author": "first admin key",
        "reason": "the example is wrong",
    }
    assert without(first, "at") == {
        "version": 1,
        "replaced": None,
        "rollback": False,
        "author": "first admin key",
        "reason": None,
    }
    body = {"source": LAST, "force_reason": "as agreed"}
    assert ok(await api.post("/codecs/c4/versions", json=body), 201)["state"] == "active"
    assert ok(await api.get("/codecs/c4"))["activations"][0]["reason"] == "as agreed"
    first_draft = ok(await api.post("/codecs", json={"name": "c5", "source": LATER, "examples": [HALF]}), 201)
    assert (first_draft["state"], first_draft["refused"]) == ("draft", WHY_NOT)
    assert ok(await api.get("/codecs/c5"))["active_version"] is None
    forced = {"name": "c10", "source": LATER, "examples": [HALF], "force_reason": "as agreed"}
    assert ok(await api.post("/codecs", json=forced), 201)["state"] == "active"
    draft = ok(await api.post("/codecs", json={"name": "c11", "source": LATER, "activate": False}), 201)
    assert (draft["state"], draft["refused"]) == ("draft", None)


async def test_examples_that_cannot_be_read_are_told(api: httpx.AsyncClient) -> None:
    body = {"name": "c6", "source": SOURCE, "examples": [{**HALF, "input": {"bytes": "xyz"}}]}
    status, _, text = problem(await api.post("/codecs", json=body))
    assert status == 422
    assert text.startswith("examples: example 0: bytes cannot be read")


async def test_rollback_goes_back_step_by_step_and_retired_ones_can_be_brought_back(api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "c7", "source": SOURCE}), 201)
    for source in (LATER, LAST):
        ok(await api.post("/codecs/c7/versions", json={"source": source}), 201)
    assert await states(api, "c7") == {1: "retired", 2: "retired", 3: "active"}
    assert ok(await api.post("/codecs/c7/rollback"))["version"] == 2
    assert ok(await api.post("/codecs/c7/rollback"))["version"] == 1
    assert problem(await api.post("/codecs/c7/rollback"))[0] == 409
    assert await states(api, "c7") == {1: "active", 2: "retired", 3: "retired"}
    assert [a["rollback"] for a in ok(await api.get("/codecs/c7"))["activations"]] == [True, True, False, False, False]
    ok(await api.post("/codecs/c7/activate", json={"version": 3}))
    assert ok(await api.post("/codecs/c7/rollback"))["version"] == 1
    draft = {"source": "function decodeUplink() { return { data: {} }; }", "activate": False}
    ok(await api.post("/codecs/c7/versions", json=draft), 201)
    assert ok(await api.post("/codecs/c7/retire", json={"version": 4}))["state"] == "retired"
    assert ok(await api.post("/codecs/c7/activate", json={"version": 4}))["state"] == "active"


async def test_convention_can_be_set(api: httpx.AsyncClient) -> None:
    both = "function Decoder(bytes, port) { return { v: 1 }; } function Decode(port, bytes) { return { v: 2 }; }"
    made = ok(await api.post("/codecs", json={"name": "c8", "source": both, "convention": "ttn2"}), 201)
    assert made["convention"] == "ttn2"
    ran = ok(await api.post("/codecs/run", json={"codec": "c8", "fport": 1, "payload": "00"}))
    assert ran["data"] == {"v": 1}
    text = problem(await api.post("/codecs", json={"name": "c9", "source": SOURCE, "convention": "ttn2"}))[2]
    assert text == "source: syntax: the script has no function Decoder, as ttn2 asks for"
