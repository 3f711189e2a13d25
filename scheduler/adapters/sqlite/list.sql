-- Tasks in order of id, as one JSON array: fetching row by row gives up the GIL at each (see commit.sql).
-- An empty string or array is a filter that is not set; labels are [[key, value], ...].
SELECT json_group_array(json_array(
  task_id, request_id, tenant, priority, labels, build_key, cpu, memory_mib, gpus, architecture,
  exclusive, queue_timeout_ms, start_timeout_ms, run_timeout_ms, may_run_again, submitted_ms,
  state, revision, updated_ms, started_ms, stopped_ms, stop_reason, attempt
))
FROM (
  SELECT
    task.*, request.labels,
    (SELECT payload FROM attempt WHERE attempt.task_id = task.task_id ORDER BY number DESC LIMIT 1) AS attempt
  FROM task JOIN request USING (task_id)
  WHERE task.task_id > :after_task_id
    /*filters*/
  ORDER BY task.task_id
  LIMIT :limit
);
