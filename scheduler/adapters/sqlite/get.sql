-- One whole task, its last 10 attempts newest first. ?1: task_id.
SELECT
  task.task_id, request_id, tenant, priority, request.labels, build_key, cpu, memory_mib, gpus, architecture,
  exclusive, queue_timeout_ms, start_timeout_ms, run_timeout_ms, may_run_again, submitted_ms,
  state, revision, updated_ms, started_ms, stopped_ms, stop_reason,
  request.spec, secret."values",
  (
    SELECT json_group_array(json(payload))
    FROM (SELECT payload FROM attempt WHERE attempt.task_id = ?1 ORDER BY number DESC LIMIT 10)
  )
FROM task JOIN request USING (task_id) LEFT JOIN secret USING (task_id)
WHERE task.task_id = ?1;
