"""Milesight's collection."""

from pathlib import Path

from lns.library import milesight
from lns.library.files import Folder
from lns.library.item import Found, Item
from tests.library.trees import MILESIGHT, SCRIPT, write

WHERE = "em-series/em500-xyz"
MODEL = "milesight:milesight/em500-xyz"


def read(root: Path) -> dict[str, Found]:
    return {found.item.id: found for found in milesight.items(Folder(root))}


def test_a_model_has_decoder_encoder_and_the_examples_of_its_readme(tmp_path: Path) -> None:
    found = read(write(tmp_path, MILESIGHT))[MODEL]
    assert found.codec is not None
    assert found.item == Item(
        id=MODEL,
        origin="milesight",
        vendor="Milesight",
        name="EM500-XYZ",
        description="Level sensor EM500-XYZ",
        models=["em500-xyz"],
        codec_sha256=found.codec.sha256,
    )
    assert "var encodeDownlink" in found.codec.source
    (example,) = found.codec.examples
    assert (example["input"], example["output"]) == ({"bytes": [50], "fPort": 85}, {"data": {"level": 50}})


def test_a_readme_of_several_models_gives_no_examples(tmp_path: Path) -> None:
    found = read(write(tmp_path, MILESIGHT, {f"{WHERE}/em500-abc-decoder.js": SCRIPT}))
    assert sorted(found) == ["milesight:milesight/em500-abc", MODEL]
    assert [one.codec.examples for one in found.values() if one.codec is not None] == [[], []]


def test_a_model_without_a_readme_is_read_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    root = write(tmp_path, MILESIGHT, {"x/a_decoder.js": SCRIPT, "x/b-decoder.js": b"\xff"})
    found = read(root)
    assert (found["milesight:milesight/a"].item.problem, found["milesight:milesight/a"].item.description) == (None, "")
    assert str(found["milesight:milesight/b"].item.problem).startswith("x/b-decoder.js is not UTF-8 text")


def test_scripts_without_a_readme_are_no_collection(tmp_path: Path) -> None:
    assert not milesight.recognise(write(tmp_path, {"x/a-decoder.js": SCRIPT}))
    assert milesight.recognise(write(tmp_path, MILESIGHT))
