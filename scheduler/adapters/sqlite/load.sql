-- Tasks that are not terminal, in queue order. The index serves the order; nothing is sorted, so that the
-- first rows come at once and the rest lazily. The result id matters to builds that have reserved alone: no
-- other spec is looked at.
SELECT
  task_id, tenant, priority, definition_key, main_container, enqueue_revision, submitted_ms,
  cpu, memory_mib, gpus, queue_timeout_ms, start_timeout_ms, run_timeout_ms, may_run_again,
  state, cancel_requested, updated_ms, architecture, exclusive,
  (SELECT count(*) FROM attempt WHERE attempt.task_id = task.task_id),
  (SELECT count(*) FROM attempt WHERE attempt.task_id = task.task_id AND payload ->> 'counted'),
  (SELECT payload FROM attempt WHERE attempt.task_id = task.task_id ORDER BY number DESC LIMIT 1),
  (
    SELECT coalesce(
      max(payload ->> 'stopped_ms') FILTER (WHERE payload ->> 'state' = 'ENDED'),
      min(payload ->> 'stopped_ms') FILTER (WHERE payload ->> 'state' = 'ABANDONED')
    )
    FROM attempt WHERE attempt.task_id = task.task_id  -- core/model/attempt.py:returned_ms
  ),
  build_key,
  (
    SELECT request.spec ->> 'result_id' FROM request
    WHERE request.task_id = task.task_id AND build_key <> '' AND EXISTS (
      SELECT 1 FROM fact
      WHERE key >= 'reservation/' || tenant || '/' || build_key || '/'
        AND key < 'reservation/' || tenant || '/' || build_key || '0'  -- the character after the slash
    )
  )
FROM task
WHERE stopped_ms IS NULL
ORDER BY priority DESC, enqueue_revision;
