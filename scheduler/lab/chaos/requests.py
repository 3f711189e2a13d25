"""Requests: what the jobs of a plan ask for, each time the same."""

from random import Random

from scheduler.core.agents.sizes import EXTRA_SIZES, MAIN_SIZES, SIDEKICK
from scheduler.core.model.resources import NOTHING, Resources
from scheduler.core.model.task import (
    BambooAgentSpec,
    Container,
    ContainerSize,
    ContainersSpec,
    EnvironmentVariable,
    ExtraContainer,
    TaskRequest,
    Timeouts,
)
from scheduler.lab.chaos.plan import Job, Plan, result_id


def request_of(plan: Plan, number: int, job: Job) -> TaskRequest:
    """The request of a job; its `number` makes the request id."""
    text = f"{Random(f'{plan.seed}/{number}').getrandbits(128):032x}"
    return TaskRequest(
        request_id="-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:])),
        tenant="" if job.invalid else job.tenant,
        priority=job.priority,
        labels={},
        spec=_containers(job) if job.size is None else _bamboo_agent(job, job.size),
        timeouts=Timeouts(
            queue_ms=_ms(job.queue_s), start_ms=_ms(job.start_s), run_ms=_ms(job.run_timeout_s)
        ),
        may_run_again=job.may_run_again,
    )


def ask_of(request: TaskRequest) -> Resources:
    """What all its containers reserve, as the pages of sizes and of requests promise it."""
    spec = request.spec
    if isinstance(spec, BambooAgentSpec):
        extras = (EXTRA_SIZES[each.size] for each in spec.extra_containers)
        return sum(extras, MAIN_SIZES[spec.size] + SIDEKICK)
    return sum((each.resources for each in spec.containers), NOTHING)


_NEVER_STARTS = (
    EnvironmentVariable(
        name="SIMULATED_START_FAILURE", value="CannotStartContainerError: no such entry point"
    ),
)


def _containers(job: Job) -> ContainersSpec:
    main = Container(
        name="agent",
        image=f"agent:{job.image}",
        resources=Resources(cpu=job.cpu, memory_mib=job.memory_mib),
        environment=(*_simulated(job), *(_NEVER_STARTS if job.broken else ())),
    )
    beside = (
        Container(name=f"extra-{each}", image="extra:1", resources=Resources(cpu=64, memory_mib=64))
        for each in range(job.extras)
    )
    return ContainersSpec(containers=(main, *beside), exclusive=job.exclusive)


def _bamboo_agent(job: Job, size: ContainerSize) -> BambooAgentSpec:
    """Only extra containers have an environment of the client's: without them its work is drawn."""
    return BambooAgentSpec(
        result_id=result_id(job.build, job.result) if job.build else f"CHAOS-JOB-{job.image}",
        build_key=job.build or "CHAOS-JOB",
        server_url="https://bamboo.example.com",
        sidekick_image="sidekick:1",
        image=f"agent:{job.image}",
        size=size,
        extra_containers=tuple(
            ExtraContainer(
                name=f"extra-{each}", image="extra:1", size=ContainerSize.SMALL, environment=_simulated(job)
            )
            for each in range(job.extras)
        ),
        exclusive=job.exclusive,
    )


def _simulated(job: Job) -> tuple[EnvironmentVariable, ...]:
    """What the simulated AWS reads of its work."""
    return (
        EnvironmentVariable(name="SIMULATED_RUN_MS", value=str(job.run_s * 1_000)),
        EnvironmentVariable(name="SIMULATED_EXIT_CODE", value=str(job.exit_code)),
    )


def _ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1_000
