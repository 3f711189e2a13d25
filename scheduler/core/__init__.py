"""Everything that thinks: pure functions over immutable values.

Lives here: `decide(view, policy) -> Plan` and what it is made of; `World`, the reducer that folds
records and observations into the view; the nouns (`model`), placement, lifecycle, autoscaling, the
expansion of agents, validation and token buckets.

May import: the standard library's pure parts and itself. No I/O, clock, randomness, logger, thread or
protobuf: time comes in as `now_ms`, ids come in from outside.

Words: ECS's own first (task, task definition, container instance, registered, remaining). A *shape* is
what feasibility can tell apart; *in flight* is asked of EC2 and not yet able to work.
"""
