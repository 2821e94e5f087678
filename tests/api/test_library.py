"""The template library: searched, imported into, and templates and devices made from it."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from lns.library.item import CodecSource, Found, Item
from lns.library.layouts import read_library
from tests.api.answers import ok, problem
from tests.api.conftest import Running
from tests.library.trees import MILESIGHT, OWN, SCRIPT, TTN, write

pytestmark = pytest.mark.asyncio(loop_scope="package")

LIBRARY = "/template-library"
KEYS = {"join_eui": "70b3d57ed0000000", "app_key": "2b7e151628aed2a6abf7158809cf4f3c"}
EXAMPLE = {
    "type": "uplink",
    "description": "x",
    "input": {"bytes": [50], "fPort": 2},
    "output": {"data": {"level": 50}},
}


def body(*found: Found) -> dict[str, Any]:
    """What an import sends."""
    items = [{"item": one.item, "digest": one.digest} for one in found]
    made: dict[str, Any] = msgspec.to_builtins({"items": items, "codecs": [one.codec for one in found if one.codec]})
    return made


def item(name: str, codec: CodecSource | None = None, **more: Any) -> Found:
    """A kind of device of the library `mine`."""
    sha256 = None if codec is None else codec.sha256
    return Found(Item(f"mine:acme/{name}", "mine", "ACME", name, codec_sha256=sha256, **more), codec)


async def sent(api: httpx.AsyncClient, *found: Found, dry_run: bool = False) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ok(
        await api.post(f"{LIBRARY}/import", json=body(*found), params={"dry_run": dry_run})
    )["items"]
    return rows


async def search(api: httpx.AsyncClient, words: str, **more: Any) -> list[str]:
    return [row["id"] for row in ok(await api.get(LIBRARY, params={"search": words, **more}))["items"]]


async def test_ours_is_there_on_a_fresh_server(api: httpx.AsyncClient) -> None:
    assert await search(api, "Milesight EM300 temperature leak") == ["milesight/em300-sld"]
    found = ok(await api.get(LIBRARY, params={"search": "em300-th"}))["items"]
    assert found == [
        {
            "id": "milesight/em300-th",
            "origin": "inflight",
            "vendor": "Milesight",
            "name": "EM300-TH",
            "description": "Air temperature and humidity",
            "models": ["EM300-TH"],
            "codec": True,
            "examples_passed": found[0]["examples_passed"],
            "examples_failed": 0,
            "source": found[0]["source"],
        }
    ]
    assert found[0]["examples_passed"] > 3


async def test_pages_of_a_search_follow_one_another(api: httpx.AsyncClient) -> None:
    whole = await search(api, "", limit=1000)
    first = ok(await api.get(LIBRARY, params={"limit": 10}))
    second = ok(await api.get(LIBRARY, params={"limit": 10, "after": first["next"]}))
    assert [row["id"] for row in (*first["items"], *second["items"])] == whole[:20]


async def test_a_template_from_the_library_has_profile_fields_and_codec(api: httpx.AsyncClient) -> None:
    made = ok(await api.post("/device-templates/from-library", json={"item": "dragino/lht65"}), 201)
    assert (made["name"], made["codec"], made["library_item"]) == ("dragino-lht65", "dragino-lht65", "dragino/lht65")
    assert made["fields"]["air.temperature"] == {"label": "Air temperature", "unit": "°C", "min": -40, "max": 85}
    assert made["rules"]["battery"] == {"deadband_abs": 0.02, "heartbeat_s": 86400}
    assert (made["lorawan_version"], made["uplink_interval_s"]) == ("1.0.3", 600)
    codec = ok(await api.get("/codecs/dragino-lht65"))
    assert codec["active_version"] == 1
    again = ok(await api.post("/device-templates/from-library", json={"item": "dragino/lht65"}), 201)
    assert again == made
    named = {"item": "dragino/lht65", "name": "cold-store"}
    second = ok(await api.post("/device-templates/from-library", json=named), 201)
    assert (second["name"], second["codec"]) == ("cold-store", "dragino-lht65")


async def test_a_built_in_codec_needs_none(api: httpx.AsyncClient) -> None:
    made = ok(await api.post("/device-templates/from-library", json={"item": "generic/cayenne-lpp"}), 201)
    assert made["codec"] == "cayenne-lpp"


async def test_a_device_is_added_and_moved_to_a_template_of_the_library(
    running: Running, api: httpx.AsyncClient
) -> None:
    device = {"dev_eui": "24e124136b502d10", "template": "milesight/ws301", **KEYS}
    assert ok(await api.post("/devices", json=device), 201)["template"] == "milesight-ws301"
    changed = ok(await api.patch("/devices/24e124136b502d10", json={"template": "milesight/ws202"}))
    assert changed["template"] == "milesight-ws202"
    refused = problem(await api.post("/devices", json={**device, "dev_eui": "24e124136b502d11", "template": "a/b"}))
    assert refused == (404, "not_found", "the template library has no 'a/b': see 'lns template search'")


async def test_a_name_that_is_taken_is_refused(api: httpx.AsyncClient) -> None:
    ok(await api.post("/device-templates", json={"name": "sensecap-lorawan-sensor"}), 201)
    refused = problem(await api.post("/device-templates/from-library", json={"item": "sensecap/lorawan-sensor"}))
    text = "device template 'sensecap-lorawan-sensor' exists already and is not from sensecap/lorawan-sensor"
    assert refused == (409, "conflict", f"{text}: give another name")


async def test_a_codec_that_has_its_name_already_is_not_replaced(api: httpx.AsyncClient) -> None:
    ok(await api.post("/codecs", json={"name": "elsys-ers", "source": SCRIPT + "// mine"}), 201)
    refused = problem(await api.post("/device-templates/from-library", json={"item": "elsys/ers"}))
    assert refused[:2] == (409, "conflict")
    assert refused[2].startswith("elsys/ers brings a codec, but ")
    assert refused[2].endswith("; or give the template another name")
    named = {"item": "elsys/ers", "name": "elsys-climate"}
    assert ok(await api.post("/device-templates/from-library", json=named), 201)["codec"] == "elsys-climate"


async def test_an_import_tries_every_codec_and_tells_every_item(api: httpx.AsyncClient) -> None:
    good = item("tank", CodecSource(SCRIPT, [EXAMPLE]))
    wrong = item("wrong", CodecSource(SCRIPT + "// wrong", [{**EXAMPLE, "output": {"data": {"level": 51}}}]))
    broken = item("broken", CodecSource("function decodeUplink(input) {\n  return {;\n}"))
    odd = item("odd", CodecSource(SCRIPT + "// odd", [{"input": 1}], "README.md: example 3: no"))
    plain = item("plain", template={"lorawan_version": "1.0.4"})
    rows = await sent(api, good, wrong, broken, odd, plain)
    assert {
        row["id"].partition("/")[2]: (row["outcome"], row["codec_runs"], row["passed"], row["failed"]) for row in rows
    } == {
        "tank": ("added", True, 1, 0),
        "wrong": ("added", True, 0, 1),
        "broken": ("added", False, 0, 0),
        "odd": ("added", True, 0, 0),
        "plain": ("added", False, 0, 0),
    }
    errors = [row["error"] for row in rows]
    assert (errors[0], errors[4]) == (None, None)
    assert errors[1] == "1 of 1 examples fail: 'x': data.level: expected 51, got 50"
    assert "line 2, column" in errors[2]
    assert errors[3].startswith("examples: example 0: ")
    assert {row["outcome"] for row in await sent(api, good)} == {"changed"}
    assert ok(await api.post(f"{LIBRARY}/known", json={"digests": [good.digest, "0" * 64]})) == {"known": [good.digest]}
    origins = ok(await api.get(f"{LIBRARY}/origins"))["items"]
    assert {"origin": "mine", "items": 5} in origins


async def test_hostile_codecs_are_told_and_stop_nothing(api: httpx.AsyncClient) -> None:
    loop = "function decodeUplink(input) { for (;;) {} }"
    bomb = "function decodeUplink(input) { var a = []; for (;;) a.push(new Array(1e6).fill(1.5)); }"
    many = [{**EXAMPLE, "description": str(n)} for n in range(40)]
    found = [
        item("loop", CodecSource(loop, many)),
        item("bomb", CodecSource(bomb, many)),
        item("at-load", CodecSource("for (;;) {}\n" + SCRIPT, [EXAMPLE])),
        item("honest", CodecSource(SCRIPT + "// honest", many)),
    ]
    rows = await sent(api, *found)
    assert [(row["outcome"], row["passed"], row["failed"]) for row in rows] == [
        ("added", 0, 40),
        ("added", 0, 40),
        ("added", 0, 1),
        ("added", 40, 0),
    ]
    assert not rows[2]["codec_runs"]
    assert rows[0]["error"].startswith("5 of 5 examples fail: '0': errors: expected nothing, got ")
    assert rows[0]["error"].endswith("; the rest of the 40 examples was not run")


async def test_a_codec_with_failing_examples_needs_a_reason(api: httpx.AsyncClient) -> None:
    source = SCRIPT + "// needs a reason"
    await sent(api, item("rough", CodecSource(source, [{**EXAMPLE, "output": {"data": {"level": 51}}}])))
    ask = {"item": "mine:acme/rough"}
    status, code, text = problem(await api.post("/device-templates/from-library", json=ask))
    assert (status, code) == (409, "examples_fail")
    assert text.startswith("the codec of mine:acme/rough: 1 of 1 examples fail: 'x': data.level: expected 51, got 50")
    made = ok(await api.post("/device-templates/from-library", json={**ask, "force_reason": "good enough"}), 201)
    assert (made["name"], made["codec"]) == ("acme-rough", "acme-rough")
    assert ok(await api.get("/codecs/acme-rough"))["active_version"] == 1


async def test_a_codec_that_cannot_run_makes_no_template(api: httpx.AsyncClient) -> None:
    await sent(api, item("never", CodecSource("function decodeUplink( {")))
    status, code, text = problem(await api.post("/device-templates/from-library", json={"item": "mine:acme/never"}))
    assert (status, code) == (409, "conflict")
    assert text.startswith("the codec of mine:acme/never cannot run: ")


async def test_a_dry_run_stores_nothing(api: httpx.AsyncClient) -> None:
    found = item("dry", CodecSource(SCRIPT + "// dry", [EXAMPLE]))
    (row,) = await sent(api, found, dry_run=True)
    assert (row["outcome"], row["passed"]) == ("added", 1)
    assert await search(api, "mine:acme/dry") == []


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (Found(Item("milesight/em300-th", "inflight", "M", "x")), "has the name of a library that is ours"),
        (Found(Item("acme/x", "mine", "M", "x")), "does not begin with the name of its library, 'mine', and a colon"),
        (Found(Item("mine:x", "mine", "M", "x")), "vendor/device in at most 200 characters is needed"),
        (Found(Item("mine:a/\n", "mine", "M", "x")), "vendor/device in at most 200 characters is needed"),
        (Found(Item("mine:" + "a/" * 200, "mine", "M", "x")), "vendor/device in at most 200 characters is needed"),
        (item("bad", problem="file is not YAML"), "file is not YAML"),
        (item("bad", template={"lorawan_version": "3"}), "lorawan_version"),
        (item("bad", template={"name": "x"}), "template has name, which it cannot have"),
        (item("bad", template={"network": {"rx1_delay_s": 99}}), "network.rx1_delay_s"),
        (item("bad", template={"fields": {"a": {"min": "x"}}}), "fields.a"),
        (item("bad", template={"rules": {"a": {"x": 1}}}), "rules.a"),
        (item("bad", built_in="other"), "codec 'other' is not built in"),
        (Found(Item("mine:acme/bad", "mine", "A", "bad", codec_sha256="1" * 64)), "its codec was not sent"),
    ],
)
async def test_a_bad_item_is_refused_with_its_reason(api: httpx.AsyncClient, found: Found, error: str) -> None:
    (row,) = await sent(api, found)
    assert (row["ok"], row["outcome"]) == (False, "refused")
    assert error in row["error"]


@pytest.mark.parametrize("text", ["", "[]", '{"items": 1}', '{"items": [{"item": {}}]}', "[" * 10_000, "\ud800"])
async def test_a_body_that_is_none_is_refused(api: httpx.AsyncClient, text: str) -> None:
    answer = await api.post(f"{LIBRARY}/import", content=text.encode("utf-8", "surrogatepass"))
    assert problem(answer)[:2] == (422, "invalid")


async def test_whole_folders_come_in_and_are_forgotten(api: httpx.AsyncClient, tmp_path: Path) -> None:
    found = [*read_library(write(tmp_path / "a", TTN)), *read_library(write(tmp_path / "b", MILESIGHT))]
    found += read_library(write(tmp_path / "c", OWN), None, "ours")
    rows = await sent(api, *found)
    assert [(row["id"], row["passed"], row["failed"]) for row in rows] == [
        ("ttn:acme/tank", 3, 0),
        ("milesight:milesight/em500-xyz", 3, 0),
        ("ours:acme/tank", 1, 0),
    ]
    made = ok(await api.post("/device-templates/from-library", json={"item": "ours:acme/tank"}), 201)
    assert (made["network"], made["fields"]["level"]["unit"]) == ({"device_class": "C"}, "%")
    for origin in ("ttn", "milesight", "ours"):
        assert ok(await api.delete(f"{LIBRARY}/origins/{origin}")) == {"removed": 1}
    assert problem(await api.delete(f"{LIBRARY}/origins/ours"))[2] == "there is no imported library 'ours'"
    assert problem(await api.delete(f"{LIBRARY}/origins/inflight"))[0] == 404
    assert ok(await api.get("/device-templates/acme-tank"))["library_item"] == "ours:acme/tank"


async def test_a_reader_may_search_and_not_import(running: Running, api: httpx.AsyncClient) -> None:
    made = ok(await api.post("/keys", json={"name": "library reader", "permissions": ["read"]}), 201)
    async with running.client(made["secret"]) as reader:
        reader.base_url = f"{running.url}/api/v1"
        assert await search(reader, "em300-th") == ["milesight/em300-th"]
        answer = await reader.post(f"{LIBRARY}/import", json=body(item("no")))
        assert answer.status_code == 403
