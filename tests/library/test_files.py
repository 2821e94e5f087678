"""Files of a folder that anyone may have made."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lns.library.files import MAX_FILE_BYTES, Folder, LibraryError


class Named(msgspec.Struct, frozen=True):
    """What the tests read."""

    name: str
    count: int = 0


def test_text_loses_its_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfgr\xc3\xbcn")
    assert Folder(tmp_path).text(tmp_path / "a.txt") == "grün"


def test_a_link_inside_the_folder_is_followed_and_one_out_of_it_is_not(tmp_path: Path) -> None:
    root = tmp_path / "library"
    root.mkdir()
    (root / "a.txt").write_text("inside")
    (tmp_path / "b.txt").write_text("outside")
    (root / "in.txt").symlink_to("a.txt")
    (root / "out.txt").symlink_to("../b.txt")
    (root / "folder").symlink_to("..")
    (root / "self").symlink_to("self")
    folder = Folder(root)
    assert folder.text(root / "in.txt") == "inside"
    for path in ("out.txt", "folder/b.txt", "../b.txt"):
        with pytest.raises(LibraryError, match="lies outside the folder"):
            folder.text(root / path)
    with pytest.raises(LibraryError, match="cannot read self: "):
        folder.text(root / "self")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_name_that_no_file_can_have_is_told(tmp_path: Path, name: str) -> None:
    folder = Folder(tmp_path)
    assert not folder.has(tmp_path / name)
    assert folder.examples(tmp_path / name) == []
    with pytest.raises(LibraryError, match="cannot read "):
        folder.text(tmp_path / name)


def test_a_folder_named_through_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.txt").write_text("x")
    (tmp_path / "link").symlink_to("real")
    folder = Folder(tmp_path / "link")
    assert folder.text(folder.root / "a.txt") == "x"


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(LibraryError, match=f"huge.yaml has {1 << 40} octets, at most {MAX_FILE_BYTES} fit"):
        Folder(tmp_path).yaml(tmp_path / "huge.yaml", Named)


def test_a_pipe_and_a_folder_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(LibraryError, match=f"{name} is not a file"):
            Folder(tmp_path).text(tmp_path / name)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("yaml", "name: tank\ncount: 7"), ("toml", "name = 'tank'\ncount = 7"), ("json", '{"name": "tank", "count": 7}')],
)
def test_the_three_formats_become_structs(tmp_path: Path, kind: str, text: str) -> None:
    (tmp_path / "file").write_text(text)
    assert _reader(tmp_path, kind)(tmp_path / "file", Named) == Named("tank", 7)


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("yaml", "a: [", "file is not YAML: while parsing"),
        ("yaml", "[" * 100_000, "file is not YAML: values stand more than 150 deep"),
        ("yaml", "name: 1", "file: expected `str`, got `int` - at `$.name`"),
        ("yaml", "", "file: expected `object`, got `null`"),
        ("yaml", "name: x\ncount: .nan", "file: expected `int`, got `float` - at `$.count`"),
        ("toml", "a", "file is not TOML: "),
        ("toml", "a = " + "[" * 10_000, "file is not TOML: "),
        ("json", "{", "file is not JSON: "),
        ("json", "[" * 100_000, "file is not JSON: "),
        ("json", "[]", "file: expected `object`, got `array`"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(tmp_path: Path, kind: str, text: str, problem: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(LibraryError) as refused:
        _reader(tmp_path, kind)(tmp_path / "file", Named)
    assert str(refused.value).startswith(problem)


def test_examples_are_none_where_there_is_no_file_and_a_sentence_where_it_is_bad(tmp_path: Path) -> None:
    (tmp_path / "examples.json").write_text("[{]")
    (tmp_path / "README.md").write_bytes(b"\xff")
    folder = Folder(tmp_path)
    assert folder.examples(tmp_path / "test_decode_x.json") == []
    assert str(folder.examples(tmp_path / "examples.json")).startswith("examples.json: the text is no JSON")
    assert str(folder.examples(tmp_path / "README.md")).startswith("README.md: README.md is not UTF-8 text")


def _reader(root: Path, kind: str) -> Any:
    return getattr(Folder(root), kind)
