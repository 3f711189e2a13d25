"""Validation: nothing that ECS would refuse, and nothing beyond our own limits, reaches the queue.

Lives here: `validate`, the tables of rules that it reads (`rules`, and `container_rules` for what few plain
containers have), what their rows are made of (`rows`, `checks`, `relations`, `container_relations`), the
measure of ECS's limit on overrides, and what becomes of a valid request in its surroundings (`forbidden`,
`unfetchable`, `oversized`). May import `model` and `agents`, whose names, sizes and overrides the limits are
about. Words: a *row* says what must hold for one field of a message; a *violation* names the field as the
protos spell it. The limits are those that the protos' comments tell clients.
"""

from scheduler.core.validate.allowed import forbidden, oversized, unfetchable
from scheduler.core.validate.request import validate

__all__ = ["forbidden", "oversized", "unfetchable", "validate"]
