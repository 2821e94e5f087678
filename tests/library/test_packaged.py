"""Our own library is part of every installation."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lns.library.item import MAX_EXAMPLES_BYTES
from lns.library.packaged import codec_library, matches, packaged
from lns.registry.network_settings import changed
from lns.registry.templates import check_template

ROOT = Path(__file__).parents[2]


def test_every_folder_is_an_item_that_a_template_can_be_made_of() -> None:
    folders = {f"{path.parent.parent.name}/{path.parent.name}" for path in codec_library().glob("*/*/template.toml")}
    assert set(packaged()) == folders
    for found in packaged().values():
        item = found.item
        assert item.problem is None, item.id
        assert (found.codec is not None) != (item.built_in is not None), item.id
        if found.codec is not None:
            assert found.codec.unread is None, item.id
            assert found.codec.examples, item.id
        assert check_template(item.template)["fields"], item.id
        changed({}, item.template["network"])
    assert MAX_EXAMPLES_BYTES > 0


@pytest.mark.parametrize(
    ("words", "wanted", "found"),
    [
        ("dragino lht65 air temperature", "drag temp", True),
        ("dragino lht65 air temperature", "Dragino LHT65", True),
        ("dragino lht65 air temperature", "dragino soil", False),
        ("dragino lht65 air temperature", "", True),
    ],
)
def test_every_wanted_word_has_to_be_there(words: str, wanted: str, found: bool) -> None:
    assert matches(words, wanted) == found


@pytest.mark.parametrize(
    "wanted",
    [
        "temperature humidity", "carbon dioxide", "soil", "level", "leak", "door", "pulse", "tracker", "people counter",
        "power meter", "particles", "button", "cayenne", "raw values", "plug", "radiator", "motion",
    ],
)  # fmt: skip
def test_what_people_have_is_found(wanted: str) -> None:
    assert [item_id for item_id, found in packaged().items() if matches(found.item.words(), wanted)]


def test_the_wheel_carries_the_library(tmp_path: Path) -> None:
    """Built as `pip install .` does, unpacked, and read by the code that is in it."""
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = "from lns.library.packaged import codec_library, packaged; print(codec_library()); print(*packaged())"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "installed")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    where, *items = ran.stdout.split()
    assert Path(where) == tmp_path / "installed/lns/_codecs"
    assert items == list(packaged())
