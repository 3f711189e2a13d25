"""Agents: what a client asks for, turned into what ECS is told.

Lives here: `expand` (spec -> task definition, its content hash and what the task asks for) and `overrides`
(spec and launch -> ECS's TaskOverride). May import `model`. Words: *definition* is the argument of
RegisterTaskDefinition, shared by every build of one configuration; *overrides* are what one launch differs
in; the *main container* is the one whose exit code decides; the *sidekick* lends an agent its volume; an
*extra container* runs beside an agent; *docker-in-docker* is one in which a build runs containers of its
own; the *outline* is what a definition has beside its containers.
"""

from scheduler.core.agents.definition import AgentSettings
from scheduler.core.agents.expansion import Expansion, expand, overrides
from scheduler.core.agents.launch import Launch

__all__ = ["AgentSettings", "Expansion", "Launch", "expand", "overrides"]
