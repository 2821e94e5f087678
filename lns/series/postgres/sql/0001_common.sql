CREATE TABLE field (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE unit (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

-- number, flag or label: one of them is set. In a text, U+001A 0 stands for U+0000 and U+001A 1 for U+001A itself.
-- Eight columns: with a ninth the null bitmap would add eight bytes to every row.
CREATE TABLE measurement (
    device_id integer NOT NULL,
    field_id integer NOT NULL,
    time timestamptz NOT NULL,
    seq bigint NOT NULL,
    number double precision,
    unit_id integer,
    flag boolean,
    label text,
    PRIMARY KEY (device_id, field_id, time)
):partitioning;
-- For roll-ups, which go over an hour of all devices: rows come nearly in the order of time.
CREATE INDEX measurement_time ON measurement USING brin (time) WITH (pages_per_range = 32, autosummarize = on);

-- Which fields a device has, each with the start of the UTC day of its newest row: the search for that starts there.
CREATE TABLE series (
    device_id integer NOT NULL,
    field_id integer NOT NULL,
    newest_from timestamptz NOT NULL,
    PRIMARY KEY (device_id, field_id)
);

-- One row. seq: the exchange position up to which this schema holds everything. rolled_to: roll-ups hold everything
-- before it but what is listed as stale; a writer locks the row and lists what it changes before that time.
-- minute_from: where the roll-up by minutes begins.
CREATE TABLE position (
    seq bigint NOT NULL,
    rolled_to timestamptz NOT NULL,
    minute_from timestamptz NOT NULL
);
INSERT INTO position VALUES (0, '2000-01-01 00:00:00+00', '2000-01-01 00:00:00+00');

-- Hours whose roll-ups do not hold what the measurements do, of a device or, where that is null, of all.
-- Only ever added to by writers: a mark that was there could be taken away before its writer commits.
CREATE TABLE stale (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id integer,
    from_hour timestamptz NOT NULL,
    to_hour timestamptz NOT NULL
);
CREATE INDEX stale_by_device ON stale (device_id);

-- row: [device_id, field, time_us, value, unit, seq] as JSON; digest of it, so that a replay sets nothing aside twice.
CREATE TABLE rejected (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    row text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    at_us bigint NOT NULL,
    state text NOT NULL DEFAULT 'open'
);
CREATE INDEX rejected_by_state ON rejected (state, id);
