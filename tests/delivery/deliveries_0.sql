-- The delivery log. One row for each message and outlet; the body goes once it is delivered.
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY,
    outlet TEXT NOT NULL,
    message_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    lane TEXT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    refusals INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    opened_us INTEGER NOT NULL,
    next_us INTEGER NOT NULL,
    changed_us INTEGER NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    body BLOB,
    at_us INTEGER NOT NULL DEFAULT 0,
    attempt_bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (outlet, message_id)
) STRICT;

CREATE INDEX IF NOT EXISTS delivery_outlet ON delivery (outlet, state, id);
CREATE INDEX IF NOT EXISTS delivery_state ON delivery (state, changed_us);
CREATE INDEX IF NOT EXISTS delivery_device ON delivery (lane, created_us);
CREATE INDEX IF NOT EXISTS delivery_time ON delivery (created_us);

CREATE TABLE IF NOT EXISTS attempt (
    delivery INTEGER NOT NULL,
    n INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    ms INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    status INTEGER,
    error TEXT NOT NULL,
    request TEXT NOT NULL,
    response TEXT NOT NULL,
    PRIMARY KEY (delivery, at_us, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS outlet (
    outlet TEXT PRIMARY KEY,
    seq INTEGER NOT NULL DEFAULT 0,
    open_until_us INTEGER NOT NULL DEFAULT 0,
    disabled TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- How much has ended, so that a bound can be kept at every commit. 600: a row, its index entries and its ids.
CREATE TABLE IF NOT EXISTS ended (
    state TEXT PRIMARY KEY,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO ended VALUES ('delivered', 0, 0), ('dead', 0, 0), ('dropped', 0, 0);

CREATE TRIGGER IF NOT EXISTS delivery_moved AFTER UPDATE OF state, body, attempt_bytes ON delivery
WHEN OLD.state IN ('delivered', 'dead', 'dropped') OR NEW.state IN ('delivered', 'dead', 'dropped')
BEGIN
    UPDATE ended SET rows = rows - 1, bytes = bytes - 600 - OLD.attempt_bytes - coalesce(length(OLD.body), 0)
    WHERE state = OLD.state;
    UPDATE ended SET rows = rows + 1, bytes = bytes + 600 + NEW.attempt_bytes + coalesce(length(NEW.body), 0)
    WHERE state = NEW.state;
END;

CREATE TRIGGER IF NOT EXISTS delivery_gone AFTER DELETE ON delivery
BEGIN
    UPDATE ended SET rows = rows - 1, bytes = bytes - 600 - OLD.attempt_bytes - coalesce(length(OLD.body), 0)
    WHERE state = OLD.state;
END;

-- What is sent again out of the log: its progress moves with the deliveries it adds.
CREATE TABLE IF NOT EXISTS replay (
    id TEXT PRIMARY KEY,
    created_us INTEGER NOT NULL,
    job BLOB NOT NULL
) STRICT, WITHOUT ROWID;
