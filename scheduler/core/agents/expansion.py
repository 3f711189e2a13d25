"""The two verbs: what to register and ask for once a request is accepted, what to say when it is launched."""

from dataclasses import dataclass

from scheduler.core.agents import bamboo, containers
from scheduler.core.agents.definition import AgentSettings, Json, definition_key
from scheduler.core.agents.launch import Launch
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import BambooAgentSpec, TaskSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A spec as ECS sees it. `definition` is the caller's own: nothing else holds any part of it.

    `definition_key` is the hash of the definition and of nothing else; `build_key` is empty for a spec that
    has none.
    """

    ask: Resources
    definition: Json
    definition_key: str
    main_container: str
    build_key: str


def expand(spec: TaskSpec, settings: AgentSettings) -> Expansion:
    """The definition to register for a valid spec, and what a task of it asks for."""
    if isinstance(spec, BambooAgentSpec):
        definition = bamboo.task_definition(spec, settings)
        ask, main, build_key = bamboo.ask(spec), bamboo.AGENT_NAME, spec.build_key
    else:
        definition = containers.task_definition(spec, settings)
        ask, main, build_key = containers.ask(spec), spec.containers[0].name, ""
    return Expansion(
        ask=ask,
        definition=definition,
        definition_key=definition_key(definition),
        main_container=main,
        build_key=build_key,
    )


def overrides(spec: TaskSpec, launch: Launch) -> Json:
    """What StartTask is told of this launch (ECS API: TaskOverride)."""
    if isinstance(spec, BambooAgentSpec):
        return {"containerOverrides": bamboo.container_overrides(spec, launch)}
    return {"containerOverrides": containers.container_overrides(spec, launch)}
