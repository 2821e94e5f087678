CREATE TABLE field (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE unit (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- value: REAL is a number, INTEGER 0 or 1 a boolean, TEXT a text. No declared type, so that nothing is converted.
-- The time stands before the field: the values of one uplink lie on one page. With the field first each lies on a page
-- of its own, and once there is history a row costs two to three times as much to write.
CREATE TABLE measurement (
    device_id INTEGER NOT NULL,
    field_id INTEGER NOT NULL,
    time_us INTEGER NOT NULL,
    value NOT NULL,
    unit_id INTEGER,
    seq INTEGER NOT NULL,
    PRIMARY KEY (device_id, time_us, field_id)
) WITHOUT ROWID;

-- Which fields a device has, each with the day (since 1970) of its newest row: the search for that row starts there.
CREATE TABLE series (
    device_id INTEGER NOT NULL,
    field_id INTEGER NOT NULL,
    newest_day INTEGER NOT NULL,
    PRIMARY KEY (device_id, field_id)
) WITHOUT ROWID;

-- One row: the exchange position up to which this file holds everything.
CREATE TABLE position (
    seq INTEGER NOT NULL
);
INSERT INTO position VALUES (0);

-- row: [device_id, field, time_us, value, unit, seq] as JSON; digest of it, so that a replay sets nothing aside twice.
CREATE TABLE rejected (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    row TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open'
);
CREATE INDEX rejected_by_state ON rejected (state, id);
