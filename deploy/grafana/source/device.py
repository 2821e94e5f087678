"""What one device has measured and how it is heard."""

from deploy.grafana.source.board import Board, curve, sql, sql_variable, table

_DEVICES = """
SELECT coalesce(device_name.name, 'device ' || s.device_id) AS __text, s.device_id AS __value
FROM (SELECT DISTINCT device_id FROM series) s LEFT JOIN device_name ON device_name.device_id = s.device_id ORDER BY 1
"""
_FIELDS = """
SELECT field.name AS __text, field.id AS __value
FROM series JOIN field ON field.id = field_id WHERE device_id = $device ORDER BY 1
"""
_LATEST = """
SELECT field.name AS field, coalesce(m.number::text, m.flag::text, m.label) AS value, unit.name AS unit, m.time
FROM series s JOIN field ON field.id = s.field_id
JOIN LATERAL (
    SELECT * FROM measurement m
    WHERE m.device_id = s.device_id AND m.field_id = s.field_id
        AND m.time >= s.newest_from AND m.time < s.newest_from + interval '1 day'
    ORDER BY m.time DESC LIMIT 1
) m ON true
LEFT JOIN unit ON unit.id = m.unit_id
WHERE s.device_id = $device ORDER BY 1
"""
_REPORTS = """
SELECT $__timeGroupAlias(start, 1h), max(count) AS values
FROM rollup_hour WHERE device_id = $device AND $__timeFilter(start) GROUP BY 1 ORDER BY 1
"""
# Intervals of an hour and more are made of roll-ups: a year is read in a moment.
_NUMBERS = """(
    SELECT time, field_id, number AS low, number AS high, number AS total, 1 AS numbers
    FROM measurement
    WHERE $__interval_ms < 3600000 AND device_id = $device AND field_id IN ({fields})
        AND number IS NOT NULL AND $__timeFilter(time)
    UNION ALL
    SELECT start AS time, field_id, min, max, sum, numbers - huge
    FROM rollup_hour
    WHERE $__interval_ms >= 3600000 AND device_id = $device AND field_id IN ({fields})
        AND numbers > huge AND $__timeFilter(start)
) m JOIN field ON field.id = m.field_id GROUP BY 1, 2 ORDER BY 1"""
_CHOSEN = _NUMBERS.format(fields="${field:csv}")
_OF_LINK = _NUMBERS.format(fields="SELECT id FROM field WHERE name IN ('link.rssi', 'link.snr')")
_START = "SELECT $__timeGroupAlias(time, $__interval), field.name AS metric"
_VALUES = f"{_START}, sum(total) / sum(numbers) AS value FROM {_CHOSEN}"
_EXTREMES = f"{_START}, min(low) AS lowest, max(high) AS highest FROM {_CHOSEN}"
_LINK = f"{_START}, sum(total) / sum(numbers) AS value FROM {_OF_LINK}"
_STATES = """
SELECT time, field.name AS field, coalesce(label, flag::text) AS value
FROM measurement JOIN field ON field.id = field_id
WHERE device_id = $device AND number IS NULL AND $__timeFilter(time) ORDER BY 1 DESC LIMIT 200
"""
# A row that was set aside can hold NaN or half a surrogate, which json would refuse.
_SET_ASIDE = r"""
SELECT to_timestamp(at_us / 1e6) AS at, code, reason, substring("row" from '^\[-?[0-9]+, "([^"]*)"') AS field
FROM rejected WHERE substring("row" from '^\[(-?[0-9]+),') = '$device' AND state = 'open'
ORDER BY id DESC LIMIT 100
"""


def board() -> Board:
    made = Board("inflight-device", "Inflight: device", "What one device has measured and how it is heard.", "now-7d")
    made.variables.append(sql_variable("device", "Device", _DEVICES))
    made.variables.append(sql_variable("field", "Field", _FIELDS, many=True))
    reports = "Values of the field that is stored most often, by hour: fewer than uplinks where it is stored on change."
    made.add(table("Latest values", sql(_LATEST), "The newest value of each field, however old."))
    made.add(curve("How often it reports", _REPORTS, reports, bars=True))
    made.add(curve("Values", _VALUES, "Mean of each interval."), 24)
    made.add(curve("Lowest and highest", _EXTREMES))
    made.add(curve("How it is heard", _LINK, "RSSI in dBm and SNR in dB at the gateway that heard it best."))
    made.add(table("States and texts", sql(_STATES), "Fields without a number, newest first."))
    made.add(table("Set aside", sql(_SET_ASIDE), "What the store could not take: lns series rejected."))
    return made
