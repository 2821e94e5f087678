"""Parts of an import and its counts, without a server."""

import pytest

from lns.cli.library_import import Run, lines, parts
from lns.library.item import CodecSource, Found, Item


def device(n, codec=None):
    sha256 = None if codec is None else codec.sha256
    return Found(Item(f"x:a/{n}", "x", "A", str(n), codec_sha256=sha256), codec)


def shape(found):
    """Devices and codecs of each part."""
    return [(len(part.items), len(part.codecs)) for part in parts(found)]


SMALL = [CodecSource(f"codec {n}") for n in range(60)]
LARGE = [CodecSource(f"{n}" * 500_000) for n in range(10, 50)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], []),
        ([device(n) for n in range(401)], [(200, 0), (200, 0), (1, 0)]),
        ([device(n, SMALL[n]) for n in range(60)], [(12, 12)] * 5),
        # those of one codec stand together, wherever they were
        ([device(n, SMALL[n % 3]) for n in range(30)], [(30, 3)]),
        # a part that goes on with the devices of a codec has that codec again
        ([device(n, SMALL[0]) for n in range(201)], [(200, 1), (1, 1)]),
        # large codecs make small parts
        ([device(n, LARGE[n]) for n in range(17)], [(7, 7), (7, 7), (3, 3)]),
    ],
)
def test_parts_are_small_enough(found, expected):
    assert shape(found) == expected
    assert sorted(one.item.id for part in parts(found) for one in part.items) == sorted(one.item.id for one in found)


def test_every_part_has_the_codecs_of_its_devices():
    found = [device(n, SMALL[n // 7 % 50] if n % 3 else None) for n in range(2000)]
    for part in parts(found):
        wanted = {one.item.codec_sha256 for one in part.items} - {None}
        assert wanted == {codec.sha256 for codec in part.codecs}


def test_a_part_survives_json():
    odd = Found(Item("x:a/odd", "x", "A", "odd", template={"fields": {"a": {"min": float("nan")}}}))
    (part,) = parts([odd])
    assert part.body()["items"][0]["item"]["template"] == {"fields": {"a": {"min": None}}}


def test_a_codec_of_many_devices_is_counted_once():
    run = Run(True, [{"outcome": "unchanged"}, {"outcome": "refused"}])
    found = [device(1, SMALL[1]), device(2, SMALL[1]), device(3, SMALL[2]), device(4), device(5, SMALL[3])]
    answer = {"ok": True, "outcome": "added", "codec_runs": True, "passed": 2, "failed": 1}
    broken, refused = {**answer, "codec_runs": False, "passed": 0, "failed": 4}, {"ok": False, "outcome": "refused"}
    run.add(found, [answer, answer, broken, {**answer, "outcome": "changed", "codec_runs": False}, refused])
    assert run.summary() == {
        "dry_run": True,
        "devices": {"total": 7, "added": 3, "changed": 1, "unchanged": 1, "refused": 2},
        "codecs": {"tried": 2, "failed": 1},
        "examples": {"passed": 2, "failed": 5},
    }
    assert list(lines(run.summary())) == [
        "7 devices: 3 would be added, 1 would be changed, 1 unchanged, 2 refused",
        "2 codecs tried, 1 cannot run",
        "7 examples: 2 passed, 5 failed",
    ]
