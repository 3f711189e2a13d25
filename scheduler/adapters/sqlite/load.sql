-- Tasks that are not terminal, in queue order. The index serves the order; nothing is sorted, so that the
-- first rows come at once and the rest lazily.
SELECT
  task_id, tenant, priority, definition_key, main_container, enqueue_revision, submitted_ms,
  cpu, memory_mib, gpus, queue_timeout_ms, start_timeout_ms, run_timeout_ms, may_run_again,
  state, cancel_requested, updated_ms,
  (SELECT count(*) FROM attempt WHERE attempt.task_id = task.task_id),
  (SELECT count(*) FROM attempt WHERE attempt.task_id = task.task_id AND payload ->> 'counted'),
  (SELECT payload FROM attempt WHERE attempt.task_id = task.task_id ORDER BY number DESC LIMIT 1)
FROM task
WHERE stopped_ms IS NULL
ORDER BY priority DESC, enqueue_revision;
