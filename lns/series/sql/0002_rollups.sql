-- What a field of a device measured on a day (since 1970, UTC), hour by hour: packed, see rolled.py.
CREATE TABLE rollup (
    device_id INTEGER NOT NULL,
    field_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    hours BLOB NOT NULL,
    PRIMARY KEY (device_id, field_id, day)
) WITHOUT ROWID;

-- Days on which a device's rows have changed since they were rolled up: they are read row by row.
CREATE TABLE changed_day (
    device_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    PRIMARY KEY (device_id, day)
) WITHOUT ROWID;

-- One row: every earlier day is rolled up, and has a roll-up for each field that has a row.
CREATE TABLE rolled_up (
    before_day INTEGER NOT NULL
);
INSERT INTO rolled_up VALUES (0);
