-- The durable log. One row is one group commit of one topic: records first_seq..last_seq, a MessagePack list.
CREATE TABLE IF NOT EXISTS exchange_log (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL,
    topic     TEXT    NOT NULL,
    at_us     INTEGER NOT NULL,
    records   BLOB    NOT NULL
);
-- How far each consumer has come, for consumers that do not keep it with their own data.
CREATE TABLE IF NOT EXISTS exchange_position (
    consumer TEXT PRIMARY KEY,
    seq      INTEGER NOT NULL
) WITHOUT ROWID;
-- The newest seq ever given, so that it is never given again after retention has emptied the log.
CREATE TABLE IF NOT EXISTS exchange_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
);
INSERT OR IGNORE INTO exchange_head VALUES (1, 0);
-- What tells this log from others: a seq means nothing without it.
CREATE TABLE IF NOT EXISTS exchange_id (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT    NOT NULL
);
INSERT OR IGNORE INTO exchange_id VALUES (1, lower(hex(randomblob(16))));
-- What a person should know of the log: numbers that were passed over (gap), records that are unreadable.
CREATE TABLE IF NOT EXISTS exchange_notice (
    kind      TEXT    NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    text      TEXT    NOT NULL,
    at_us     INTEGER NOT NULL,
    PRIMARY KEY (kind, first_seq)
) WITHOUT ROWID;
