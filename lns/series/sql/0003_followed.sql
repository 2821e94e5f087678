-- One row: the id of the log that the position is of; empty: nobody has said.
CREATE TABLE followed (
    log TEXT NOT NULL
);
INSERT INTO followed VALUES ('');
