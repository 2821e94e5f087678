import pytest

from lns.cli.plot import chart, spark


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right():
    assert chart([(0.0, 0.0), (100.0, 10.0)], 0.0, 100.0, 16, 5).splitlines()[:-1] == [
        "   10 ┤⠀⠀⠀⠀⠀⠀⠀⡠⠊",
        "      ┤⠀⠀⠀⠀⢀⠔⠉⠀⠀",
        "3.333 ┤⠀⠀⣀⠔⠁⠀⠀⠀⠀",
        "    0 ┤⡠⠊⠀⠀⠀⠀⠀⠀⠀",
    ]


def test_a_chart_keeps_its_width_and_height():
    points = [(float(t), float((t * 7) % 13)) for t in range(500)]
    lines = chart(points, 0.0, 500.0, 80, 12).splitlines()
    assert len(lines) == 12
    assert {len(line) for line in lines} == {80}


def test_a_constant_lies_in_the_middle():
    drawn = chart([(0.0, 5.0), (10.0, 5.0)], 0.0, 10.0, 20, 6).splitlines()
    assert [any(c not in "⠀ ┤-.0123456789" for c in line) for line in drawn[:-1]] == [False, False, True, False, False]


def test_one_point_is_one_dot():
    drawn = chart([(5.0, 1.0)], 0.0, 10.0, 20, 6)
    assert sum(bin(ord(c) - 0x2800).count("1") for c in drawn if 0x2800 < ord(c) < 0x2900) == 1


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([1, None, 2], "▁ █"),
        ([4, 4], "▄▄"),
        ([None], ""),
        ([], ""),
    ],
)
def test_spark_shows_a_bar_a_value(values, bars):
    assert spark(values) == bars
