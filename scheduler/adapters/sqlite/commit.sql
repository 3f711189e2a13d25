-- A commit is ONE statement, and so one transaction: an INSERT into the view `commit_row`, whose columns are
-- JSON arrays of rows. Why: Python gives up the GIL at every step of every statement and, beside a busy
-- thread, gets it back only after a switch interval. One statement per row cost 132 ms for 31 tasks.
--
-- View and trigger are TEMP: they belong to the writer's connection and are no part of the file.

CREATE TEMP VIEW commit_row (
  tasks, requests, secrets, statuses, ended, cancels, attempts, intents, events, facts,
  scaling_events, wishes
) AS
  SELECT '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]';

CREATE TEMP TRIGGER commit_rows INSTEAD OF INSERT ON commit_row
BEGIN
  INSERT INTO task (
    task_id, tenant, request_id, fingerprint, priority, cpu, memory_mib, gpus, build_key, definition_key,
    main_container, queue_timeout_ms, start_timeout_ms, run_timeout_ms, may_run_again,
    enqueue_revision, submitted_ms, architecture, exclusive, state, revision, updated_ms
  )
  SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14,
    value ->> 15, value ->> 16, value ->> 17, value ->> 18, 'QUEUED', value ->> 15, value ->> 16
  FROM json_each(NEW.tasks);

  INSERT INTO request (task_id, labels, spec)
  SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(NEW.requests);

  INSERT INTO secret (task_id, "values")
  SELECT value ->> 0, value ->> 1 FROM json_each(NEW.secrets);

  UPDATE task SET
    state = changed.value ->> 1,
    revision = changed.value ->> 2,
    updated_ms = changed.value ->> 3,
    started_ms = changed.value ->> 4,
    stopped_ms = changed.value ->> 5,
    stop_reason = changed.value ->> 6
  FROM json_each(NEW.statuses) AS changed
  WHERE task.task_id = changed.value ->> 0;

  UPDATE task SET cancel_requested = 1 WHERE task_id IN (SELECT value FROM json_each(NEW.cancels));

  DELETE FROM secret WHERE task_id IN (SELECT value FROM json_each(NEW.ended));

  -- "WHERE true" keeps the parser from reading ON CONFLICT as a join's ON (SQLite docs: UPSERT).
  INSERT INTO attempt (attempt_id, task_id, number, payload)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(NEW.attempts) WHERE true
  ON CONFLICT (attempt_id) DO UPDATE SET payload = excluded.payload;

  INSERT INTO intent (kind, key, state, payload)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(NEW.intents) WHERE true
  ON CONFLICT (kind, key) DO UPDATE SET state = excluded.state, payload = excluded.payload;

  -- After all of them are in, so that the last record of each counts. What stays is open, and so little.
  DELETE FROM intent WHERE state <> 'OPEN';

  INSERT INTO event (revision, task_id, payload)
  SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(NEW.events);

  INSERT INTO fact (key, value)
  SELECT value ->> 0, value ->> 1 FROM json_each(NEW.facts) WHERE true
  ON CONFLICT (key) DO UPDATE SET value = excluded.value;

  DELETE FROM fact WHERE value = '' AND key IN (SELECT value ->> 0 FROM json_each(NEW.facts));

  INSERT INTO scaling_event (sequence, payload)
  SELECT value ->> 0, value ->> 1 FROM json_each(NEW.scaling_events);

  -- In the order of the array, which `number` then keeps.
  INSERT INTO scale_wish (request_id, payload)
  SELECT value ->> 0, value ->> 1 FROM json_each(NEW.wishes);
END;
