"""The author's bench on the command line, without a server."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.cli.server import ROOT

DOUBLE = """
function decodeUplink(input) {
  console.log("port", input.fPort);
  return {data: {value: input.bytes[0] * 2, site: input.variables.site}, warnings: ["old firmware"]};
}
"""
HALF = "function decodeUplink(input) {\n  return {data: {t: input.bytes[0] / 2, open: true}};\n}\n"
EXAMPLES = [
    {"description": "mild", "input": {"bytes": [43], "fPort": 2}, "output": {"data": {"t": 21.5, "open": True}}},
    {"description": "cold", "input": {"bytes": [3], "fPort": 2}, "output": {"data": {"t": 1, "open": True}}},
]


@pytest.fixture
def codec(tmp_path):
    def write(source, examples=None):
        file = tmp_path / "codec.js"
        file.write_text(source)
        if examples is not None:
            (tmp_path / "examples.json").write_text(json.dumps(examples))
        return file

    return write


def test_codec_run_shows_data_measurements_warnings_logs_time_and_memory(lns, codec):
    ran = lns("codec", "run", codec(DOUBLE), "--fport", 2, "--hex", "15", "--var", "site=roof", "--json")
    assert ran.code == 0
    result = ran.json
    assert result.pop("duration_us") > 0
    assert result.pop("memory_bytes") > 100_000
    suggestions = result.pop("suggestions")
    assert result == {
        "data": {"value": 42, "site": "roof"},
        "normalized": None,
        "measurements": [
            {"field": "value", "value": 42, "unit": None, "at": None},
            {"field": "site", "value": "roof", "unit": None, "at": None},
        ],
        "warnings": ["old firmware"],
        "errors": [],
        "error": None,
        "logs": ["port 2"],
        "state": None,
    }
    assert [suggestion["field"] for suggestion in suggestions] == ["value", "site"]


def test_codec_run_on_an_empty_payload_decodes_nothing_and_does_not_fail(lns, codec):
    ran = lns("codec", "run", codec(DOUBLE), "--fport", 2, "--hex", "", "--json")
    assert (ran.code, ran.json["data"], ran.json["errors"]) == (0, None, [])


def test_codec_run_for_people_prints_the_data(lns, codec):
    ran = lns("codec", "run", codec(DOUBLE), "--fport", 2, "--hex", "15")
    assert ran.out.startswith('log: port 2\nwarning: old firmware\n{\n  "value": 42')
    assert "stored as" in ran.out
    assert ran.err.startswith("took ")
    assert ran.err.endswith(" MB\n")


def test_codec_run_tells_where_a_script_failed_and_on_what(lns, codec):
    ran = lns(
        "codec",
        "run",
        codec("function decodeUplink(input) {\n  return nothing.here;\n}"),
        "--fport",
        1,
        "--hex",
        "00ff",
    )
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines() == [
        "lns: exception: nothing is not defined at line 2, column 3",
        "1 | function decodeUplink(input) {",
        "2 |   return nothing.here;",
        "  |   ^",
        "input: fPort 1, 00 ff",
    ]


def test_codec_run_ends_a_script_that_hangs(lns, codec):
    ran = lns(
        "codec", "run", codec("function decodeUplink(input) { for (;;) {} }"), "--fport", 1, "--hex", "00", "--json"
    )
    assert ran.code == 1
    assert ran.json["errors"] == ["timeout: the script ran longer than 100 ms"]


def test_codec_run_gives_the_script_a_context_and_a_clock(lns, codec):
    seen = "{ name: i.deviceName, dr: i.dr, before: i.previous.t, at: i.recvTime.toISOString() }"
    script = codec(f"function decodeUplink(i) {{ return {{ data: {seen} }}; }}")
    context = '{"name": "cellar", "dr": 5, "previous": {"t": 20}}'
    more = ("--context", context, "--recv-time", "2026-01-31T08:00:00Z", "--json")
    ran = lns("codec", "run", script, "--fport", 1, "--hex", "00", *more)
    assert ran.json["data"] == {"name": "cellar", "dr": 5, "before": 20, "at": "2026-01-31T08:00:00.000Z"}


def test_codec_run_can_be_told_the_form_of_a_script(lns, codec):
    both = "function Decoder(bytes, port) { return { v: 1 }; } function Decode(port, bytes) { return { v: 2 }; }"
    ran = lns("codec", "run", codec(both), "--fport", 1, "--hex", "00", "--convention", "ttn2", "--json")
    assert ran.json["data"] == {"v": 1}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("none.js", "--hex", "00"), "cannot read none.js: No such file or directory"),
        (("codec.js", "--hex", "0g"), "'0g' is not hex"),
        (("codec.js", "--hex", "00", "--recv-time", "noon"), "--recv-time: 'noon' is not a time such as 2026-01-31T08"),
        (("codec.js", "--hex", "00", "--context", "[]"), "--context is '[]', a JSON object is needed"),
        (("codec.js", "--hex", "00", "--context", '{"dr": "x"}'), "--context: dr: input should be a valid integer"),
        (
            ("codec.js", "--hex", "00", "--context", '{"colour": 1}'),
            "--context: colour: extra inputs are not permitted",
        ),
        (("codec.js", "--hex", "00", "--convention", "cobol"), "--convention is 'cobol', known are ts013, "),
    ],
)
def test_codec_run_says_what_is_wrong_with_an_option(lns, codec, arguments, text):
    codec(DOUBLE)
    ran = lns("codec", "run", *arguments, "--fport", 1)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"lns: {text}")


def test_codec_test_shows_the_field_that_differs(lns, codec):
    codec(HALF, EXAMPLES)
    ran = lns("codec", "test", "codec.js")
    assert ran.code == 1
    head, good, *rest = ran.out.splitlines()
    assert head == "codec.js  ts013, 2 examples"
    assert good.startswith("  ✓ mild  ")
    assert rest == [
        "  ✗ cold",
        "      data.t",
        "        expected  1",
        "        got       1.5",
        "      input     fPort 2, 03",
        "1 passed, 1 failed",
    ]
    shown = lns("codec", "test", ".", "--json").json
    assert (shown["passed"], shown["failed"], shown["codecs"][0]["convention"]) == (1, 1, "ts013")
    assert shown["codecs"][0]["outcomes"][1]["differences"] == [{"path": "data.t", "expected": 1, "got": 1.5}]


def test_codec_test_passes_with_exit_code_0(lns, codec):
    codec(HALF, EXAMPLES[:1])
    ran = lns("codec", "test", "codec.js")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "1 passed, 0 failed")


def test_codec_test_shows_console_and_place_of_an_error(lns, codec):
    codec("function decodeUplink(i) {\n  console.log('raw', i.bytes);\n  return i.no.thing;\n}", EXAMPLES[:1])
    lines = lns("codec", "test", "codec.js").out.splitlines()
    assert "      log       raw [43]" in [line.replace("[ 43 ]", "[43]") for line in lines]
    place = next(i for i, line in enumerate(lines) if "at line 3, column" in line)
    assert lines[place + 3 : place + 5] == ["        3 |   return i.no.thing;", "          |               ^"]


def test_codec_test_says_that_a_script_cannot_run_or_has_no_examples(lns, codec, tmp_path):
    codec("function decodeUplink(i) {\n  return {;\n}", EXAMPLES)
    ran = lns("codec", "test", "codec.js")
    assert ran.code == 1
    assert ran.out.splitlines()[:4] == [
        "codec.js  not run, 0 examples",
        "  syntax: Unexpected token ';' at line 2, column 11",
        "    1 | function decodeUplink(i) {",
        "    2 |   return {;",
    ]
    (tmp_path / "examples.json").unlink()
    codec(HALF)
    ran = lns("codec", "test", "codec.js")
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "there are no examples: put examples.json beside the script")
    (tmp_path / "examples.json").write_text("{")
    ran = lns("codec", "test", "codec.js")
    assert (ran.code, "  ✗ examples.json: " in ran.out) == (1, True)


def test_codec_test_reads_a_library_and_shows_what_fails(lns, tmp_path):
    for family, examples in (("a", EXAMPLES[:1]), ("b", EXAMPLES)):
        folder = tmp_path / "lib" / "me" / family
        folder.mkdir(parents=True)
        (folder / "template.toml").write_text(f'[template]\nname = "{family}"\n')
        (folder / "codec.js").write_text(f"{HALF}// {family}")
        (folder / "examples.json").write_text(json.dumps(examples))
    ran = lns("codec", "test", "lib")
    assert (ran.code, ran.out.splitlines()[0], ran.out.splitlines()[-1]) == (
        1,
        "me/b  ts013, 2 examples",
        "2 passed, 1 failed",
    )


def test_codec_test_runs_again_when_a_file_is_saved(lns, codec, tmp_path):
    assert lns("codec", "test", "codec.js", "--watch", "--json").code == 2
    file = codec(HALF, EXAMPLES)
    command = [sys.executable, "-m", "lns", "codec", "test", str(file), "--watch"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:

        def round_():
            lines = []
            while not lines or "Ctrl-C" not in lines[-1]:
                lines.append(watching.stdout.readline().rstrip("\n"))
                assert lines[-1], watching.stderr.read()
            return lines[-2]

        assert round_() == "1 passed, 1 failed"
        codec(HALF, EXAMPLES[:1])
        seen = [round_()]
        while seen[-1] != "1 passed, 0 failed":  # it may have looked while the file was being written
            assert len(seen) < 4, seen
            seen.append(round_())
        file.rename(tmp_path / "gone.js")
        assert round_() == f"lns: cannot read {file}: No such file or directory"
        (tmp_path / "gone.js").rename(file)
        assert round_() == "1 passed, 0 failed"
        watching.send_signal(signal.SIGINT)
        assert (watching.wait(10), watching.stderr.read()) == (0, "")
