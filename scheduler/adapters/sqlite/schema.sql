-- The whole file in one transaction: a crash while it is created leaves an empty file, which is created again.
BEGIN IMMEDIATE;

-- "ECSS": tells a store of ours from any other SQLite file (SQLite docs: PRAGMA application_id).
PRAGMA application_id = 0x45435353;

CREATE TABLE meta (
  only_row        INTEGER PRIMARY KEY CHECK (only_row = 1),
  schema_version  INTEGER NOT NULL,
  epoch           TEXT NOT NULL,
  oldest_revision INTEGER NOT NULL     -- of the events that are kept
) STRICT;

-- What load() needs, in columns: no JSON is decoded for a queued task. Its status is the part that changes.
CREATE TABLE task (
  task_id          TEXT PRIMARY KEY,
  tenant           TEXT NOT NULL,
  request_id       TEXT NOT NULL,
  fingerprint      TEXT NOT NULL,
  priority         INTEGER NOT NULL,
  cpu              INTEGER NOT NULL,
  memory_mib       INTEGER NOT NULL,
  gpus             INTEGER NOT NULL,
  build_key        TEXT NOT NULL,
  definition_key   TEXT NOT NULL,
  main_container   TEXT NOT NULL,
  queue_timeout_ms INTEGER,            -- NULL, like the next two: not set
  start_timeout_ms INTEGER,
  run_timeout_ms   INTEGER,
  may_run_again    INTEGER NOT NULL,   -- 0 or 1
  enqueue_revision INTEGER NOT NULL,
  submitted_ms     INTEGER NOT NULL,
  state            TEXT NOT NULL,
  revision         INTEGER NOT NULL,
  updated_ms       INTEGER NOT NULL,
  started_ms       INTEGER,
  stopped_ms       INTEGER,            -- set in terminal states alone
  stop_reason      TEXT,               -- JSON of StopReason
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  architecture     TEXT NOT NULL DEFAULT '', -- empty: any
  exclusive        INTEGER NOT NULL DEFAULT 0, -- 0 or 1
  UNIQUE (tenant, request_id)
) STRICT;

CREATE INDEX task_in_queue_order ON task (priority DESC, enqueue_revision)
  WHERE stopped_ms IS NULL;
CREATE INDEX task_by_end ON task (stopped_ms, revision)
  WHERE stopped_ms IS NOT NULL;
CREATE INDEX task_by_tenant ON task (tenant, task_id);
CREATE INDEX task_by_build ON task (build_key, task_id) WHERE build_key <> '';

-- Written once and apart from the status, so that a change of state does not write it again.
CREATE TABLE request (
  task_id TEXT PRIMARY KEY,
  labels  TEXT NOT NULL,               -- JSON object
  spec    TEXT NOT NULL                -- JSON of TaskSpec; environment values are masked
) STRICT;

-- Environment values in the order of their spec, deleted when the task is terminal.
CREATE TABLE secret (
  task_id  TEXT PRIMARY KEY,
  "values" TEXT NOT NULL               -- JSON array of strings
) STRICT;

CREATE TABLE attempt (
  attempt_id TEXT PRIMARY KEY,
  task_id    TEXT NOT NULL,
  number     INTEGER NOT NULL,
  payload    TEXT NOT NULL             -- JSON of Attempt
) STRICT;

CREATE INDEX attempt_by_task ON attempt (task_id, number);

CREATE TABLE intent (                   -- open ones alone
  kind    TEXT NOT NULL,
  key     TEXT NOT NULL,
  state   TEXT NOT NULL,
  payload TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  revision INTEGER PRIMARY KEY,        -- dense
  task_id  TEXT NOT NULL,
  payload  TEXT NOT NULL               -- JSON of codec.Change
) STRICT;

CREATE TABLE fact (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL                  -- never empty: that is no fact
) STRICT, WITHOUT ROWID;

CREATE TABLE scaling_event (
  sequence INTEGER PRIMARY KEY,        -- dense
  payload  TEXT NOT NULL               -- JSON of ScalingEvent
) STRICT;

CREATE TABLE scale_wish (
  number     INTEGER PRIMARY KEY,      -- in the order in which they were made
  request_id TEXT NOT NULL UNIQUE,
  payload    TEXT NOT NULL             -- JSON of ScaleWish
) STRICT;

INSERT INTO meta VALUES (1, 5, lower(hex(randomblob(8))), 1);

COMMIT;
