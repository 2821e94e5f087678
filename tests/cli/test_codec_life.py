"""The life of a codec on the command line, against a real server: from a folder to an active version and back."""

import json

import pytest

from tests.cli.server import ABP, DEV_EUI, frame, table, until

HALF = "function decodeUplink(input) { return {data: {t: input.bytes[0] / 2}}; }\n"
WHOLE = "function decodeUplink(input) { return {data: {t: input.bytes[0]}}; }\n"
MILD = {"description": "mild", "input": {"bytes": [43], "fPort": 2}, "output": {"data": {"t": 21.5}}}
TWO_WAYS = (
    HALF
    + "function encodeDownlink(i) { return {fPort: 7, bytes: [i.data.every]}; }\n"
    + "function decodeDownlink(i) { return {data: {every: i.bytes[0]}}; }\n"
)


@pytest.fixture
def folder(tmp_path):
    """`folder(source, examples)` is a folder called probe with both."""

    def write(source, examples=()):
        made = tmp_path / "probe"
        made.mkdir(exist_ok=True)
        (made / "codec.js").write_text(source)
        (made / "examples.json").write_text(json.dumps(examples))
        return made

    return write


def test_codecs_have_versions(on, tmp_path):
    file = tmp_path / "meter.js"
    file.write_text(HALF)
    assert on("codec", "add", file, "--name", "new", "--no-activate").out == "codec new added, version 1, a draft\n"
    assert on("codec", "add", file).out == "codec meter added, version 1, in use from now on\n"
    file.write_text(WHOLE)
    ran = on("codec", "add", file, "--no-activate", "--note", "whole degrees")
    assert ran.out == "codec meter has version 2, a draft\n"
    assert on("codec", "show", "meter", "--json").json["active_version"] == 1
    assert on("codec", "activate", "meter", "2").out == "codec meter uses version 2 from now on\n"
    assert on("codec", "show", "meter").out == WHOLE
    assert on("codec", "show", "meter", "--version", "1").out == HALF
    rows = table(on("codec", "versions", "meter"))
    assert rows[1][:6] == ["1", "retired", "ts013", "first", "admin", "key"]
    assert rows[2][:3] == ["2", "active", "ts013"]
    assert " ".join(rows[2]).startswith("2 active ts013 first admin key whole degrees")
    assert ["meter", "2", "2", "ts013"] in table(on("codec", "list"))
    assert on("codec", "rollback", "meter").out == "codec meter uses version 1 again\n"
    assert [row[-3:] for row in table(on("codec", "versions", "meter")) if "back" in row] == [["from", "version", "2"]]
    again = on("codec", "rollback", "meter")
    assert (again.code, again.err) == (1, "lns: codec 'meter' has no version that was in use before version 1\n")
    assert on("codec", "retire", "meter", "2").out == "version 2 of codec meter is retired\n"
    assert on("codec", "retire", "meter", "1").code == 1
    assert on("codec", "activate", "meter", "9").code == 5
    assert [v["state"] for v in on("codec", "versions", "meter", "--json").json["versions"]] == ["active", "retired"]


def test_examples_beside_the_script_are_stored_and_a_failing_one_leaves_a_draft(on, folder):
    ran = on("codec", "add", folder(HALF, [MILD]), "--note", "first")
    assert ran.out == "codec probe added, version 1, in use from now on; 1 example passed\n"
    why_not = "1 of 1 examples fail: 'mild': data.t: expected 21.5, got 43"
    folder(WHOLE, [MILD])
    ran = on("codec", "add", "probe")
    assert (ran.code, ran.out) == (1, f"codec probe has version 2, which stays a draft: {why_not}\n")
    refused = on("codec", "activate", "probe", "2")
    assert refused.err == f"lns: {why_not}; mend it, or give a reason to use it all the same\n"
    assert on("codec", "activate", "probe", "2", "--force-reason", "the example is wrong").code == 0
    assert "although examples failed: the example is wrong" in on("codec", "versions", "probe").out
    one_fails = "1 of 1 examples fail: `lns codec test` shows which"
    folder(HALF + "//", [{**MILD, "output": {"data": {"t": 2}}}])
    ran = on("codec", "add", "probe", "--force-reason", "as agreed")
    assert (ran.code, ran.out) == (0, f"codec probe has version 3, in use from now on; {one_fails}\n")
    ran = on("codec", "add", "probe", "--name", "other", "--force-reason", "as agreed")
    assert (ran.code, ran.out) == (0, f"codec other added, version 1, in use from now on; {one_fails}\n")


def test_template_stays_with_a_version_or_follows_the_active_one(on, folder):
    on("codec", "add", folder(HALF), "--name", "pinned")
    assert on("template", "add", "box", "--codec", "pinned@1", "--json").json["codec_version"] == 1
    assert on("template", "set", "box", "--codec", "pinned", "--json").json["codec_version"] is None
    assert on("template", "set", "box", "--codec", "pinned@1", "--json").json["codec_version"] == 1
    assert on("template", "set", "box", "--region", "EU868", "--json").json["codec_version"] == 1
    ran = on("template", "set", "box", "--codec", "pinned@draft")
    assert (ran.code, ran.err) == (2, "lns: --codec is 'pinned@draft': name the version by its number\n")
    assert on("template", "remove", "box").code == 0


def test_script_that_cannot_run_is_shown_with_its_line(on, tmp_path):
    (tmp_path / "broken.js").write_text("function decodeUplink(input) {\n  return {;\n}")
    ran = on("codec", "add", "broken.js")
    assert ran.code == 1
    assert ran.err.splitlines()[1:3] == ["1 | function decodeUplink(input) {", "2 |   return {;"]
    assert on("codec", "add", "broken.js", "--convention", "cobol").code == 1


def test_uplink_that_came_in_becomes_an_example(on, gateway, folder, tmp_path):
    folder(HALF, [MILD])
    on("codec", "add", "probe", "--name", "live")
    assert on("device", "add", DEV_EUI, "--name", "tank", "--codec", "live", *ABP).code == 0
    gateway.uplink(frame(0, b"\x15"))
    until(lambda: on("series", "tank", "t", "--json").code == 0)
    made = on("codec", "example", "add", "live", "--device", "tank", "--description", "cool")
    assert made.code == 0
    shown, told = made.out.rsplit("\n", 2)[:2]
    (example,) = json.loads(shown)
    assert example["output"] == {"data": {"t": 10.5}}
    assert '"bytes": [21],' in shown
    assert told.startswith("2 examples, 2 passed, 0 failed; keep them beside the script: ")
    listed = on("codec", "example", "list", "live", "--json").json
    assert [example["description"] for example in listed] == ["mild", "cool"]
    assert "fPort 2, 15" in on("codec", "example", "list", "live").out
    (tmp_path / "new.json").write_text(json.dumps([*listed, {**MILD, "output": {"data": {"t": 0}}}]))
    ran = on("codec", "example", "set", "live@1", "new.json")
    assert (ran.code, ran.out) == (1, "3 examples, 2 passed, 1 failed\n")
    assert on("codec", "example", "add", "live", "--uplink", "999999999").code == 5
    assert on("codec", "example", "add", "live").err == "lns: give either --uplink or --device\n"
    assert on("codec", "example", "list", "live@draft").err == "lns: codec 'live' has no draft version\n"
    assert on("device", "remove", "tank").code == 0


def test_downlink_is_encoded_by_the_codec_of_the_device(on, folder):
    on("codec", "add", folder(TWO_WAYS), "--name", "valve")
    assert on("device", "add", DEV_EUI, "--name", "valve-1", "--codec", "valve", *ABP).code == 0
    sent = on("downlink", "send", "valve-1", "--object", '{"every": 60}')
    assert (sent.code, " queued as FPort 7, 3c: it leaves when " in sent.out) == (0, True)
    (item,) = on("downlink", "list", "valve-1", "--decode", "--json").json
    assert (item["fport"], item["payload"], item["object"]) == (7, "3c", {"every": 60})
    assert on("downlink", "replace", "valve-1", item["id"], "--object", '{"every": 61}', "--fport", "8").code == 0
    assert '{"every": 61}' in on("downlink", "list", "valve-1", "--decode").out
    for options, text in (
        ((), "give either --hex or --object"),
        (("--hex", "00", "--object", "{}"), "give either --hex or --object"),
        (("--hex", "00"), "--fport is missing: only a codec can name it, for an --object"),
        (("--object", "[]"), "--object is '[]', a JSON object is needed"),
    ):
        ran = on("downlink", "send", "valve-1", *options)
        assert (ran.code, ran.err) == (2, f"lns: {text}\n")
    assert on("downlink", "list", "valve-1", "--decode", "--past").code == 2
    assert on("device", "remove", "valve-1").code == 0
