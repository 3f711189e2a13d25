"""Protobuf on one side, the core's nouns on the other: `parse` on the way in, `render` on the way out.

Neither decides anything. Parsing does not raise on malformed values: it hands them on for validation to
name. Written out field by field: `json_format` costs a hundred times as much.

May import: `ecs_scheduler`, `google.protobuf`, the nouns of `scheduler.core.model` and `scheduler.ports`.

Words: a *path* names a field as the proto spells it, such as `bamboo_agent.extra_containers[0].size`.
"""
