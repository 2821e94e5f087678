"""The vocabulary hangs together, and docs/vocabulary.md tells the truth about it."""

import json
import re
from pathlib import Path

import pytest

from decoders import units, vocabulary, vocabulary_tables
from decoders.contract import Sample
from decoders.naming import Naming
from decoders.normalise import flatten
from decoders.vocabulary import AMBIGUOUS, ENTRIES, TABLE, Entry

PAGE = (Path(__file__).parents[2] / "docs" / "vocabulary.md").read_text("utf-8")
ROWS = re.findall(r"^\| `({.*})` \| ([^|]*) \|(?: (.*) \|)?$", PAGE, re.MULTILINE)
COMPATIBLE = frozenset({
    "battery", "air.temperature", "air.relativeHumidity", "air.pressure", "air.co2", "air.lightIntensity",
    "air.location", "soil.depth", "soil.moisture", "soil.temperature", "soil.ec", "soil.pH", "soil.n", "soil.p",
    "soil.k", "wind.speed", "wind.direction", "rain.intensity", "rain.cumulative", "water.leak",
    "water.temperature.min", "water.temperature.max", "water.temperature.avg", "water.temperature.current",
    "metering.water.total", "action.motion.detected", "action.motion.count", "action.contactState",
    "position.latitude", "position.longitude",
})  # fmt: skip


@pytest.mark.parametrize("table", ["names", "ambiguous", "units"])
def test_the_page_has_the_tables_of_the_code(table: str) -> None:
    shown = getattr(vocabulary_tables, table)()
    assert f"\n{shown}\n" in PAGE, "put the output of `python -m decoders.vocabulary_tables` into docs/vocabulary.md"


def cell(found: list[Sample]) -> str:
    """Measurements as the page writes them."""
    texts = []
    for field, value, unit, _ in found:
        shown = f"{value:.12g}" if isinstance(value, float) else value if isinstance(value, str) else str(value).lower()
        texts.append(" ".join(filter(None, (f"`{field}`", shown, unit))))
    return ", ".join(texts)


def test_the_page_has_its_examples() -> None:
    assert len(ROWS) == 14


@pytest.mark.parametrize(("data", "stored", "warning"), ROWS, ids=range(len(ROWS)))
def test_an_example_is_stored_as_the_page_says(data: str, stored: str, warning: str) -> None:
    samples, _ = flatten(json.loads(data))
    named, flags = Naming().apply(samples)
    assert (cell(named), flags) == (stored, [warning] if warning else [])


def test_names_of_other_platforms_are_kept() -> None:
    assert ENTRIES.keys() >= COMPATIBLE


def test_no_name_comes_twice_and_no_spelling_means_two_things() -> None:
    spellings = [(vocabulary.key(spelling), entry.name) for entry in TABLE for spelling in (entry.name, *entry.also)]
    assert len(ENTRIES) == len(TABLE)
    assert {key for key, name in spellings if {n for k, n in spellings if k == key} != {name}} == set()
    assert [name for name in AMBIGUOUS if vocabulary.by_key(vocabulary.key(name)) is not None] == []


@pytest.mark.parametrize("entry", TABLE, ids=[entry.name for entry in TABLE])
def test_an_entry_is_whole(entry: Entry) -> None:
    unit = None if entry.unit is None else units.known(entry.unit)
    assert entry.unit == (None if unit is None else unit.symbol)
    assert (entry.kind == "number") == (entry.low is not None and entry.high is not None and entry.low < entry.high)
    assert re.fullmatch(r"[a-z][A-Za-z0-9_]*(\.[a-z][A-Za-z0-9_]*)*", entry.name)


def test_what_ambiguous_names_could_be_is_in_the_table() -> None:
    assert {name for names in AMBIGUOUS.values() for name in names} - ENTRIES.keys() == set()


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("temperature", AMBIGUOUS["temperature"]),
        ("temperature_3", AMBIGUOUS["temperature"]),
        ("sensor1.humidity", AMBIGUOUS["humidity"]),
        ("soilMoistur", ("soil.moisture",)),
        ("barometricPresure", ("air.pressure",)),
        ("my.valve", ()),
        ("", ()),
        ("?", ()),
    ],
)
def test_an_author_is_told_what_may_have_been_meant(field: str, names: tuple[str, ...]) -> None:
    assert vocabulary.suggest(field) == names


@pytest.mark.parametrize("field", ["soil_temp", "soilTemp", "SoilTemp", "soil.temp", "SOIL-TEMP", "soil temp"])
def test_spellings_have_their_words_in_common(field: str) -> None:
    assert (vocabulary.words(field), vocabulary.key(field)) == (["soil", "temp"], "soiltemp")
