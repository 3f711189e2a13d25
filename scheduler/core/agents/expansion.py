"""The two verbs: what to register and ask for once a request is accepted, what to say when it is launched."""

from dataclasses import dataclass
from functools import lru_cache

from scheduler.core.agents import bamboo, containers
from scheduler.core.agents.definition import AgentSettings, Json, definition_bytes, definition_key
from scheduler.core.agents.launch import Launch
from scheduler.core.model.resources import Resources
from scheduler.core.model.task import BambooAgentSpec, TaskSpec

Configuration = bamboo.Configuration | containers.Configuration
"""What of a spec its definition is made from."""

REMEMBERED = 1_000
"""Pairs of configuration and settings of which ask, key and size are kept. A CI server has some hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A spec as ECS sees it.

    `definition_key` is the hash of the definition and of nothing else, `definition_bytes` its size as JSON;
    `build_key` is empty for a spec that has none.
    """

    configuration: Configuration
    settings: AgentSettings
    ask: Resources
    definition_key: str
    definition_bytes: int
    main_container: str
    build_key: str

    @property
    def definition(self) -> Json:
        """What is registered, made anew: it is the caller's own, and nothing else holds any part of it."""
        return _definition(self.configuration, self.settings)


def expand(spec: TaskSpec, settings: AgentSettings) -> Expansion:
    """The definition to register for a valid spec, and what a task of it asks for."""
    configuration: Configuration
    if isinstance(spec, BambooAgentSpec):
        configuration = bamboo.configuration(spec)
        main, build_key = bamboo.AGENT_NAME, spec.build_key
    else:
        configuration = containers.configuration(spec)
        main, build_key = spec.containers[0].name, ""
    ask, key, size = _ask_key_and_size(configuration, settings)
    return Expansion(
        configuration=configuration,
        settings=settings,
        ask=ask.alone() if spec.exclusive else ask,
        definition_key=key,
        definition_bytes=size,
        main_container=main,
        build_key=build_key,
    )


def overrides(spec: TaskSpec, launch: Launch) -> Json:
    """What StartTask is told of this launch (ECS API: TaskOverride)."""
    if isinstance(spec, BambooAgentSpec):
        return {"containerOverrides": bamboo.container_overrides(spec, launch)}
    return {"containerOverrides": containers.container_overrides(spec, launch)}


# Every accepted request asks for them, and builds come with few configurations: making and hashing the
# definition again took up to a tenth of Schedule. They follow from the arguments alone and never grow old.
@lru_cache(maxsize=REMEMBERED)
def _ask_key_and_size(configuration: Configuration, settings: AgentSettings) -> tuple[Resources, str, int]:
    definition = _definition(configuration, settings)
    key, size = definition_key(definition), definition_bytes(definition)
    if isinstance(configuration, bamboo.Configuration):
        return bamboo.ask(configuration), key, size
    return containers.ask(configuration), key, size


def _definition(configuration: Configuration, settings: AgentSettings) -> Json:
    if isinstance(configuration, bamboo.Configuration):
        return bamboo.task_definition(configuration, settings)
    return containers.task_definition(configuration, settings)
