-- A file of schema 2 becomes one of schema 3 in one transaction: a crash leaves it as it was.
BEGIN IMMEDIATE;

CREATE INDEX task_by_end ON task (stopped_ms, revision)
  WHERE stopped_ms IS NOT NULL;

CREATE TABLE scaling_event (
  sequence INTEGER PRIMARY KEY,
  payload  TEXT NOT NULL
) STRICT;

CREATE TABLE scale_wish (
  number     INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE,
  payload    TEXT NOT NULL
) STRICT;

-- Schema 2 kept closed intents, and facts that were forgotten as empty ones.
DELETE FROM intent WHERE state <> 'OPEN';
DELETE FROM fact WHERE value = '';

UPDATE meta SET schema_version = 3;

COMMIT;
