-- What a commit must know before it writes, as one row of three JSON values (see commit.sql for why one).
-- ?1: [[tenant, request_id], ...] asked for; ?2: [task_id, ...] about to change or to be cancelled;
-- ?3: [request_id, ...] of wishes.
-- CROSS JOIN keeps the few keys outside and the many tasks inside (SQLite docs: the query planner).
SELECT
  (
    SELECT json_group_array(json_array(task.tenant, task.request_id, task.task_id, task.fingerprint))
    FROM json_each(?1) AS asked CROSS JOIN task
      ON task.tenant = asked.value ->> 0 AND task.request_id = asked.value ->> 1
  ),
  (
    SELECT json_group_array(json_array(task.task_id, task.started_ms, task.stopped_ms))
    FROM json_each(?2) AS asked CROSS JOIN task ON task.task_id = asked.value
  ),
  (
    SELECT json_group_array(wish.payload)
    FROM json_each(?3) AS asked CROSS JOIN scale_wish AS wish ON wish.request_id = asked.value
  );
