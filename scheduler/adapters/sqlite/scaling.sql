-- Scaling events after a sequence as one JSON array (see list.sql), and the first one that is kept. One statement
-- sees one state of the store, so that no compaction makes a gap between the two.
-- ?1: sequence; ?2: limit.
SELECT
  json_group_array(json_array(sequence, payload)),
  (SELECT ifnull(min(sequence), 1) FROM scaling_event)
FROM (SELECT sequence, payload FROM scaling_event WHERE sequence > ?1 ORDER BY sequence LIMIT ?2);
