"""The time axis is cut without gap or overlap, into few pieces however wrong a clock is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lns.clock import DAY_US
from lns.series.checks import EARLIEST_US, LATEST_US
from lns.series.postgres.grid import Grid, instant
from tests.series.build import T0

MADE = T0 // (7 * DAY_US) * 7 * DAY_US
TIMES = st.integers(EARLIEST_US, LATEST_US - 1)
GRIDS = st.sampled_from(
    [Grid(DAY_US), Grid(DAY_US, MADE), Grid(7 * DAY_US, MADE), Grid(7 * DAY_US, MADE + 35 * DAY_US)]
)


@settings(deadline=None)
@given(GRIDS, TIMES)
def test_every_time_lies_in_a_chunk_whose_ends_are_those_of_its_neighbours(grid, time_us):
    start, end = grid.chunk(time_us)
    assert start <= time_us < end
    assert grid.chunk(start) == grid.chunk(end - 1) == (start, end)
    assert grid.chunk(start - 1)[1] == start
    assert grid.chunk(end)[0] == end


def test_chunks_are_a_year_wide_before_the_daily_ones():
    grid = Grid(DAY_US, MADE)
    assert [f"{instant(t):%F}" for t in grid.chunk(EARLIEST_US)] == ["2000-01-01", "2001-01-01"]
    assert [f"{instant(t):%F}" for t in grid.chunk(MADE - 1)] == ["2026-01-01", f"{instant(MADE):%F}"]
    assert grid.chunk(MADE) == (MADE, MADE + DAY_US)
    assert len({grid.chunk(time_us) for time_us in range(EARLIEST_US, MADE, DAY_US)}) == 27


def test_a_time_outside_all_years_becomes_their_end():
    assert (instant(-(2**63)).year, instant(2**63).year) == (1, 9999)
