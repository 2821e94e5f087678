"""SQL of the roll-ups: what is measured by minute, hour and day, the same columns on either engine.

With TimescaleDB `rollup_minute`, `rollup_hour` and `rollup_day` are continuous aggregates. Without, they are views of
tables named `rolled_..` and, from the time on to which those go, of the measurements, as real-time aggregates are.
"""

import msgspec

HOUR_US = 3_600_000_000

# float8 sums overflow, and PostgreSQL then refuses the whole statement: numbers from here on are counted, not added.
HUGE = "1e290"

_KEPT = (
    "count, numbers, huge, min, max, sum, "
    "first_at, first_number, first_flag, first_label, last_at, last_number, last_flag, last_label"
)
COLUMNS = f"device_id, field_id, start, {_KEPT}"
_AVERAGE = "sum / nullif(numbers - huge, 0) AS avg"
_ROLLED_TO = "(SELECT rolled_to FROM position)"
_ROLLED_DAY = "(SELECT date_trunc('day', rolled_to, 'UTC') FROM position)"


class Level(msgspec.Struct, frozen=True):
    """A width of roll-ups; `source` is what they are made of, `clock` its column of times."""

    name: str
    width_us: int
    source: str
    clock: str


MINUTE = Level("minute", 60_000_000, "measurement", "time")
HOUR = Level("hour", HOUR_US, "measurement", "time")
DAY = Level("day", 24 * HOUR_US, "rolled_hour", "start")  # of hours: one day is 24 rows, whatever the rate of reports
LEVELS = (MINUTE, HOUR, DAY)

_TABLE = """
CREATE TABLE rolled_{name} (
    device_id integer NOT NULL,
    field_id integer NOT NULL,
    start timestamptz NOT NULL,
    count bigint NOT NULL,
    numbers bigint NOT NULL,
    huge bigint NOT NULL,
    min double precision,
    max double precision,
    sum double precision,
    first_at timestamptz NOT NULL,
    first_number double precision,
    first_flag boolean,
    first_label text,
    last_at timestamptz NOT NULL,
    last_number double precision,
    last_flag boolean,
    last_label text,
    PRIMARY KEY (device_id, field_id, start)
);
CREATE INDEX rolled_{name}_start ON rolled_{name} USING brin (start) WITH (pages_per_range = 32, autosummarize = on)
"""
_VIEW = """
CREATE VIEW rollup_{name} AS
SELECT {columns}, {average} FROM rolled_{name} WHERE start < {until}
UNION ALL
SELECT {columns}, {average} FROM ({fresh}) fresh
"""
_OF_MEASUREMENTS = f"""
SELECT device_id, field_id, start, count(*) AS count, count(number) AS numbers,
    count(*) FILTER (WHERE abs(number) >= {HUGE}) AS huge, min(number) AS min, max(number) AS max,
    sum(number) FILTER (WHERE abs(number) < {HUGE}) AS sum,
    min(time) AS first_at, max(number) FILTER (WHERE oldest) AS first_number,
    bool_or(flag) FILTER (WHERE oldest) AS first_flag, max(label) FILTER (WHERE oldest) AS first_label,
    max(time) AS last_at, max(number) FILTER (WHERE newest) AS last_number,
    bool_or(flag) FILTER (WHERE newest) AS last_flag, max(label) FILTER (WHERE newest) AS last_label
FROM (
    SELECT *, lag(time) OVER in_time IS NULL AS oldest, lead(time) OVER in_time IS NULL AS newest
    FROM (
        SELECT m.*, date_bin(interval '1 {{name}}', m.time, timestamptz 'epoch') AS start FROM measurement m {{which}}
    ) binned
    WINDOW in_time AS (PARTITION BY device_id, field_id, start ORDER BY time)
) ended
GROUP BY device_id, field_id, start
"""
_OF_ROLLUPS = """
SELECT device_id, field_id, bin AS start, sum(count)::bigint AS count, sum(numbers)::bigint AS numbers,
    sum(huge)::bigint AS huge, min(min) AS min, max(max) AS max, sum(sum) AS sum,
    min(first_at) AS first_at, max(first_number) FILTER (WHERE oldest) AS first_number,
    bool_or(first_flag) FILTER (WHERE oldest) AS first_flag, max(first_label) FILTER (WHERE oldest) AS first_label,
    max(last_at) AS last_at, max(last_number) FILTER (WHERE newest) AS last_number,
    bool_or(last_flag) FILTER (WHERE newest) AS last_flag, max(last_label) FILTER (WHERE newest) AS last_label
FROM (
    SELECT *, lag(start) OVER in_time IS NULL AS oldest, lead(start) OVER in_time IS NULL AS newest
    FROM (SELECT m.*, date_bin({width}, m.start, timestamptz 'epoch') AS bin FROM {source} m {which}) binned
    WINDOW in_time AS (PARTITION BY device_id, field_id, bin ORDER BY start)
) ended
GROUP BY device_id, field_id, bin
"""
_CONTINUOUS = f"""
CREATE MATERIALIZED VIEW rollup_{{name}} WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT device_id, field_id, time_bucket(INTERVAL '1 {{name}}', time) AS start,
    count(*) AS count, count(number) AS numbers, count(*) FILTER (WHERE abs(number) >= {HUGE}) AS huge,
    min(number) AS min, max(number) AS max, sum(number) FILTER (WHERE abs(number) < {HUGE}) AS sum,
    min(time) AS first_at, first(number, time) AS first_number, first(flag, time) AS first_flag,
    first(label, time) AS first_label, max(time) AS last_at, last(number, time) AS last_number,
    last(flag, time) AS last_flag, last(label, time) AS last_label,
    avg(number) FILTER (WHERE abs(number) < {HUGE}) AS avg
FROM measurement GROUP BY device_id, field_id, time_bucket(INTERVAL '1 {{name}}', time)
WITH NO DATA
"""
_CONTINUOUS_DAY = """
CREATE MATERIALIZED VIEW rollup_day WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT device_id, field_id, time_bucket(INTERVAL '1 day', start) AS start,
    sum(count)::bigint AS count, sum(numbers)::bigint AS numbers, sum(huge)::bigint AS huge,
    min(min) AS min, max(max) AS max, sum(sum) AS sum,
    min(first_at) AS first_at, first(first_number, start) AS first_number, first(first_flag, start) AS first_flag,
    first(first_label, start) AS first_label, max(last_at) AS last_at, last(last_number, start) AS last_number,
    last(last_flag, start) AS last_flag, last(last_label, start) AS last_label,
    sum(sum) / nullif(sum(numbers) - sum(huge), 0)::float8 AS avg
FROM rollup_hour GROUP BY device_id, field_id, time_bucket(INTERVAL '1 day', start)
WITH NO DATA
"""
_MINUTE_CHUNKS = "SELECT set_chunk_time_interval('rollup_minute', INTERVAL '1 day')"  # else ten of those of its source
# The server refreshes what is late by itself; the policies are for the time in which no server runs.
_POLICIES = """
SELECT add_continuous_aggregate_policy('rollup_minute', start_offset => INTERVAL '1 day',
    end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '30 minutes');
SELECT add_continuous_aggregate_policy('rollup_hour', start_offset => INTERVAL '7 days',
    end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '1 hour');
SELECT add_continuous_aggregate_policy('rollup_day', start_offset => INTERVAL '14 days',
    end_offset => INTERVAL '1 day', schedule_interval => INTERVAL '6 hours')
"""


def tables() -> list[str]:
    """Statements that make the roll-ups without TimescaleDB."""
    made = [_TABLE.format(name=level.name) for level in LEVELS]
    for level in (MINUTE, HOUR):
        fresh = _OF_MEASUREMENTS.format(name=level.name, which=f"WHERE m.time >= {_ROLLED_TO}")
        made.append(_view(level, _ROLLED_TO, fresh))
    fresh = _OF_ROLLUPS.format(width="interval '1 day'", source="rollup_hour", which=f"WHERE m.start >= {_ROLLED_DAY}")
    return [*made, _view(DAY, _ROLLED_DAY, fresh)]


def continuous() -> list[str]:
    """Statements that make them with it."""
    return [
        *(_CONTINUOUS.format(name=level.name) for level in (MINUTE, HOUR)),
        _CONTINUOUS_DAY,
        _MINUTE_CHUNKS,
        _POLICIES,
    ]


def made_of(level: Level, which: str) -> str:
    """The query of the roll-ups of a level; `which` follows the source `m`: a join, a condition."""
    if level.source == "measurement":
        return _OF_MEASUREMENTS.format(name=level.name, which=which)
    return binned(level.source, f"interval '1 {level.name}'", which)


def binned(source: str, width: str, which: str) -> str:
    """The query of wider roll-ups than those of `source`; `width` is an interval in SQL."""
    return _OF_ROLLUPS.format(width=width, source=source, which=which)


def _view(level: Level, until: str, fresh: str) -> str:
    return _VIEW.format(name=level.name, columns=COLUMNS, average=_AVERAGE, until=until, fresh=fresh)
