-- The task that a request has become; (tenant, request_id) is unique.
SELECT task_id, fingerprint FROM task WHERE tenant = ? AND request_id = ?;
