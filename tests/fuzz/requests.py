"""Valid requests of every RPC, for others to be made of: they reach what is behind the checks."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1.health_pb2 import (  # type: ignore[attr-defined]  # the stubs lack gRFC A90's List
    HealthCheckRequest,
    HealthListRequest,
)
from grpc_reflection.v1alpha.reflection_pb2 import ExtensionRequest, ServerReflectionRequest

from ecs_scheduler.v1.capacity_pb2 import Clear
from ecs_scheduler.v1.container_instance_pb2 import ContainerInstanceHealth
from ecs_scheduler.v1.reservation_pb2 import ReleaseCapacityRequest, ReserveCapacityRequest
from ecs_scheduler.v1.resources_pb2 import Resources
from ecs_scheduler.v1.scaling_pb2 import (
    GetClusterRequest,
    ListContainerInstancesRequest,
    ScaleRequest,
    WatchScalingRequest,
)
from ecs_scheduler.v1.scheduler_pb2 import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    ScheduleRequest,
    WatchTasksRequest,
)
from ecs_scheduler.v1.task_pb2 import TaskState
from ecs_scheduler.v1.task_spec_pb2 import (
    BambooAgentSpec,
    BambooExtraContainer,
    Container,
    ContainerCondition,
    ContainerSize,
    ContainersSpec,
    EnvironmentVariable,
    HealthCheck,
)
from tests.fuzz.arbitrary import CANARY

TENANTS = ("bamboo", "acme", "0-0")
SYMBOLS = (
    "ecs_scheduler.v1.SchedulerService",
    "ecs_scheduler.v1.ScheduleRequest.labels",
    "google.rpc.BadRequest",
    "ecs_scheduler/v1/task.proto",
    "grpc.health.v1.Health",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server has answered and clients hand back: a few of each, the latest."""

    tasks: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=50))
    """Tenants and ids."""
    request_ids: deque[str] = field(default_factory=lambda: deque(maxlen=50))
    next_requests: deque[Message] = field(default_factory=lambda: deque(maxlen=50))
    """Requests for the next page, or to go on with a watch, with the token that the server gave."""


class Requests:
    """Draws valid requests; what they name was seen before, or is made up."""

    def __init__(self, random: Random, seen: Seen) -> None:
        self._random = random
        self._seen = seen

    def schedule(self) -> ScheduleRequest:
        """Small enough for any instance, so that what is accepted comes to an end."""
        request = ScheduleRequest(
            request_id=self._request_id(),
            tenant=self._random.choice(TENANTS),
            priority=self._random.randint(-5, 5),
            labels={"branch": "main", "a.b/c": "x y"},
            queue_timeout=Duration(seconds=self._random.randint(60, 3_600)),
            may_run_again=self._random.random() < 0.5,
        )
        if self._random.random() < 0.3:
            request.run_timeout.seconds = self._random.randint(1, 60)
        if self._random.random() < 0.5:
            request.bamboo_agent.CopyFrom(self._bamboo_agent())
        else:
            request.containers.CopyFrom(self._containers())
        return request

    def of(self, kind: type[Message]) -> Message:
        """Of a type that has no method here: it names a task, if it names anything."""
        fields = kind.DESCRIPTOR.fields_by_name
        return kind(**{name: value for name, value in self._named().items() if name in fields})

    def get_task(self) -> GetTaskRequest:
        """Of a task, not always its tenant's."""
        return GetTaskRequest(**self._named())

    def cancel_task(self) -> CancelTaskRequest:
        """Of a task, not always its tenant's."""
        return CancelTaskRequest(**self._named())

    def list_tasks(self) -> ListTasksRequest:
        """Small pages mostly, so that there is a next one."""
        return ListTasksRequest(
            tenant=self._random.choice(TENANTS),
            page_size=self._random.choice((1, 2, 5, 10, 50)),
            states=self._random.sample(TaskState.keys()[1:], self._random.choice((0, 0, 2))),
        )

    def watch_tasks(self) -> WatchTasksRequest:
        """Mostly of a few tasks: the present state of thousands is read for the same code."""
        named = [self._named() for _ in range(self._random.choice((1, 3)))]
        return WatchTasksRequest(tenant=named[0]["tenant"], task_ids=[each["task_id"] for each in named])

    def get_cluster(self) -> GetClusterRequest:
        """There is nothing to say."""
        return GetClusterRequest()

    def scale(self) -> ScaleRequest:
        """A wish within the group's limits, or a plan."""
        request = ScaleRequest(request_id=self._request_id(), dry_run=self._random.random() < 0.5)
        wish = self._random.choice(("floor", "target", "clear"))
        if wish == "clear":
            request.clear.CopyFrom(Clear())
        else:
            setattr(request, wish, self._random.randint(0, 10))
            request.expiry.seconds = self._random.randint(1, 600)
        return request

    def list_container_instances(self) -> ListContainerInstancesRequest:
        """Pages of one, so that there is a next one."""
        return ListContainerInstancesRequest(
            page_size=self._random.choice((0, 1, 1)),
            health=self._random.choice(ContainerInstanceHealth.keys()),
        )

    def reserve_capacity(self) -> ReserveCapacityRequest:
        """For an agent or two, now and then for nothing; the builds are those of `schedule` as well."""
        request = ReserveCapacityRequest(
            tenant=self._random.choice(TENANTS),
            build_key=self._random.choice(("PROJ-PLAN", "PLAN")),
            result_ids=["PROJ-PLAN-JOB-7", "PROJ-PLAN-JOB-8"],
        )
        if self._random.random() < 0.5:
            request.total.cpu_units = self._random.choice((0, 100, 4_096))
        else:
            request.tasks.add(count=self._random.randint(0, 2), size=ContainerSize.CONTAINER_SIZE_SMALL)
        request.expiry.seconds = self._random.randint(1, 600)
        return request

    def release_capacity(self) -> ReleaseCapacityRequest:
        """Whether or not there is anything."""
        return ReleaseCapacityRequest(tenant=self._random.choice(TENANTS), build_key="PROJ-PLAN")

    def watch_scaling(self) -> WatchScalingRequest:
        """From now on."""
        return WatchScalingRequest()

    def health(self) -> HealthCheckRequest:
        """Of a service, known or not."""
        return HealthCheckRequest(service=self._random.choice(("", *SYMBOLS)))

    def health_list(self) -> HealthListRequest:
        """There is nothing to say."""
        return HealthListRequest()

    def reflection(self) -> ServerReflectionRequest:
        """Any question."""
        question = self._random.choice(
            ("file_by_filename", "file_containing_symbol", "all_extension_numbers_of_type", "list_services")
        )
        request = ServerReflectionRequest(host="h")
        setattr(request, question, self._random.choice(SYMBOLS))
        if self._random.random() < 0.2:
            request.file_containing_extension.CopyFrom(
                ExtensionRequest(containing_type="google.protobuf.MessageOptions", extension_number=1)
            )
        return request

    def _request_id(self) -> str:
        """A new one, or one that was used before."""
        if self._seen.request_ids and self._random.random() < 0.2:
            return self._random.choice(self._seen.request_ids)
        self._seen.request_ids.append(str(UUID(int=self._random.getrandbits(128))))
        return self._seen.request_ids[-1]

    def _named(self) -> dict[str, str]:
        """A task that was seen, now and then under another tenant."""
        tenant, task_id = self._random.choice(self._seen.tasks or (("bamboo", "t-none"),))
        return {
            "tenant": self._random.choice(TENANTS) if self._random.random() < 0.2 else tenant,
            "task_id": task_id,
        }

    def _containers(self) -> ContainersSpec:
        main, database = self._container("main"), self._container("db")
        spec = ContainersSpec(containers=[main, database])
        if self._random.random() < 0.5:
            self._add_parts(spec)
        return spec

    def _add_parts(self, spec: ContainersSpec) -> None:
        """All that only some containers have; the folder is one that everybody may mount."""
        main, database = spec.containers
        main.MergeFrom(Container(entry_point=["sh", "-c"], working_directory="/work", user="1000:build"))
        main.stop_timeout.seconds = self._random.choice((2, 30, 120))
        database.health_check.CopyFrom(HealthCheck(command=["CMD", "true"], interval=Duration(seconds=5)))
        condition = self._random.choice(ContainerCondition.values()[1:])
        main.depends_on.add(container_name="db", condition=condition)
        database.essential = condition not in (
            ContainerCondition.CONTAINER_CONDITION_COMPLETE,
            ContainerCondition.CONTAINER_CONDITION_SUCCESS,
        )
        spec.volumes.add(name="metrics", source_path="/var/lib/docker/buildeng-metrics")
        main.mount_points.add(source_volume="metrics", container_path="/buildeng-metrics", read_only=True)
        spec.volumes.add(name="own")
        for container in spec.containers:
            container.mount_points.add(source_volume="own", container_path="/own")

    def _container(self, name: str) -> Container:
        return Container(
            name=name,
            image=self._random.choice(("agent:1", "agent:2")),
            resources=Resources(cpu_units=256, memory_mib=512),
            command=["build", "--all"],
            environment=[EnvironmentVariable(name="TOKEN", value=CANARY + "1")],
            essential=True,
        )

    def _bamboo_agent(self) -> BambooAgentSpec:
        extra = BambooExtraContainer(
            name="postgres",
            image="postgres:16",
            size="CONTAINER_SIZE_SMALL",
            commands=["-c", "fsync=off"],
            environment=[EnvironmentVariable(name="POSTGRES_PASSWORD", value=CANARY + "2")],
        )
        return BambooAgentSpec(
            result_id="PROJ-PLAN-JOB-7",
            build_key="PROJ-PLAN",
            server_url="https://bamboo.example",
            sidekick_image="sidekick:1",
            image="agent:1",
            size="CONTAINER_SIZE_XSMALL",
            extra_containers=[extra],
            queue_time=Timestamp(seconds=1_700_000_000),
        )


Draw = Callable[[Requests], Message]
