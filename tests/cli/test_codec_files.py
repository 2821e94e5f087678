"""Scripts and their examples are found in the layouts that people have."""

import json

import pytest

from lns.cli.codec_files import one_script, read_examples, scripts, stamps
from lns.cli.outcome import CommandError

SCRIPT = "function decodeUplink(input) { return {data: {v: input.bytes[0]}}; }"
ENCODER = "function encodeDownlink(input) { return {fPort: 1, bytes: [input.data.v]}; }"
ONE = [{"type": "uplink", "description": "one", "input": {"bytes": [1], "fPort": 1}, "output": {"data": {"v": 1}}}]
YAML = """
uplinkDecoder:
  fileName: a.js
  examples:
    - description: from yaml
      input: {fPort: 1, bytes: [7]}
      output: {data: {v: 7}}
downlinkEncoder:
  fileName: b.js
"""
README = '# A sensor\n\n```json\n// 07\n{"v": 7}\n```\n'


def write(folder, **files):
    """Files whose names have their point written as two underscores."""
    for name, text in files.items():
        path = folder / name.replace("__", ".").replace("_S_", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text))


def described(script):
    return [example.description for example in script.examples]


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        ("codec.js", {"codec__js": SCRIPT, "examples__json": ONE, "other__js": ""}, ["one"]),
        ("a.js", {"a__js": SCRIPT, "examples__json": ONE}, ["one"]),
        ("a.js", {"a__js": SCRIPT, "c__js": SCRIPT, "examples__json": ONE}, []),
        ("a.js", {"a__js": SCRIPT, "c__js": SCRIPT, "a__examples__json": ONE}, ["one"]),
        ("a.js", {"a__js": SCRIPT, "examples_S_x__examples__json": ONE}, ["one"]),
        ("dist/index.js", {"dist_S_index__js": SCRIPT, "examples__json": ONE}, ["one"]),
        ("a.js", {"a__js": SCRIPT, "b__js": ENCODER, "a-codec__yaml": YAML}, ["from yaml"]),
        ("b.js", {"a__js": SCRIPT, "b__js": ENCODER, "a-codec__yaml": YAML}, []),
        ("a.js", {"a__js": SCRIPT, "test_decode_a__json": '[{name: "cs", input: {bytes: [1]}, expected: {data: {}}}]'},
         ["cs"]),
        ("ws-decoder.js", {"ws-decoder__js": SCRIPT, "ws-encoder__js": ENCODER, "README__md": README}, ["example 1"]),
    ],
)  # fmt: skip
def test_examples_lie_beside_the_script(tmp_path, name, files, expected):
    write(tmp_path, **files)
    (script,) = scripts(tmp_path / name)
    assert (script.unread, described(script)) == ([], expected)


def test_decoder_and_encoder_in_two_files_are_one_script(tmp_path):
    write(tmp_path, a__js=SCRIPT, b__js=ENCODER, **{"a-codec__yaml": YAML})
    (script,) = scripts(tmp_path / "a.js")
    assert script.source.startswith(SCRIPT)
    assert "encodeDownlink" in script.source


def test_folder_is_a_script_or_a_library(tmp_path):
    write(tmp_path, one_S_codec__js=SCRIPT, two_S_only__js=SCRIPT, three_S_a__js="", three_S_b__js="", four_S_x__md="")
    assert [script.shown for script in scripts(tmp_path / "one")] == [str(tmp_path / "one" / "codec.js")]
    assert [script.shown for script in scripts(tmp_path / "two")] == [str(tmp_path / "two" / "only.js")]
    with pytest.raises(CommandError, match=r"three holds 2 scripts \(a.js, b.js\), name one"):
        list(scripts(tmp_path / "three"))
    with pytest.raises(CommandError, match="four holds no script and no library of them"):
        list(scripts(tmp_path / "four"))
    for family in ("lht65", "lds02"):
        template = f'[template]\nname = "{family}"\ncodec = "codec.js"\n'
        write(tmp_path, **{f"lib_S_dragino_S_{family}_S_template__toml": template})
        write(tmp_path, **{f"lib_S_dragino_S_{family}_S_codec__js": f"{SCRIPT} // {family}"})
        write(tmp_path, **{f"lib_S_dragino_S_{family}_S_examples__json": ONE})
    found = list(scripts(tmp_path / "lib"))
    assert [(script.shown, described(script)) for script in found] == [
        ("dragino/lds02", ["one"]),
        ("dragino/lht65", ["one"]),
    ]
    with pytest.raises(CommandError, match="lib holds 2 codecs, name the file of one"):
        one_script(tmp_path / "lib")


def test_folder_of_one_vendor_is_all_of_its_codecs(tmp_path):
    write(tmp_path, b_S_codec__js=SCRIPT, a_S_codec__js=SCRIPT, a_S_examples__json=ONE)
    assert [(s.shown, described(s)) for s in scripts(tmp_path)] == [
        (str(tmp_path / "a" / "codec.js"), ["one"]),
        (str(tmp_path / "b" / "codec.js"), []),
    ]


def test_named_examples_go_before_those_beside_the_script(tmp_path):
    write(tmp_path, codec__js=SCRIPT, examples__json=ONE, mine__json=[{**ONE[0], "description": "mine"}])
    assert described(one_script(tmp_path, [tmp_path / "mine.json"])) == ["mine"]
    assert described(one_script(tmp_path)) == ["one"]
    assert [example.description for example in read_examples([tmp_path / "mine.json"])] == ["mine"]


def test_examples_that_cannot_be_read_are_told_with_their_file(tmp_path):
    write(tmp_path, codec__js=SCRIPT, examples__json="[{]")
    (script,) = scripts(tmp_path)
    assert (script.source, script.examples, len(script.unread)) == (SCRIPT, [], 1)
    assert script.unread[0].startswith(str(tmp_path / "examples.json"))
    with pytest.raises(CommandError, match=r"examples\.json: "):
        one_script(tmp_path)
    with pytest.raises(CommandError, match=r"examples\.json: "):
        read_examples([tmp_path / "examples.json"])


def test_stamps_change_with_what_a_test_reads(tmp_path):
    write(tmp_path, codec__js=SCRIPT, notes__txt="x")
    script = tmp_path / "codec.js"
    before = stamps(script)
    assert list(before) == [script]
    (tmp_path / "notes.txt").write_text("longer")
    assert stamps(script) == before
    write(tmp_path, examples__json=ONE)
    assert stamps(script) == stamps(tmp_path) != before
    before = stamps(script)
    script.write_text(SCRIPT + "\n")
    assert stamps(script) != before
