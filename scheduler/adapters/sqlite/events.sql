-- Events after a revision, each with what does not change of its task, as one JSON array (see commit.sql).
-- ?1: revision; ?2: limit.
SELECT json_group_array(json_array(
  task_id, request_id, tenant, priority, labels, build_key, cpu, memory_mib, gpus, architecture,
  exclusive, queue_timeout_ms, start_timeout_ms, run_timeout_ms, may_run_again, submitted_ms, payload
))
FROM (
  SELECT event.revision AS at_revision, event.payload, task.*, request.labels
  FROM event JOIN task USING (task_id) JOIN request USING (task_id)
  WHERE event.revision > ?1
  ORDER BY event.revision
  LIMIT ?2
);
