"""Resources: what a task asks for, and what a container instance has left."""

from collections.abc import Iterable
from dataclasses import dataclass

from scheduler.simulated_aws.shapes import Shape

RESERVED_TCP_PORTS = frozenset({22, 2375, 2376, 51678, 51679})
"""SSH, Docker and the ECS agent (ECS Developer Guide: agent configuration, ECS_RESERVED_PORTS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """A vector of what can run out on a container instance."""

    cpu: int = 0
    memory_mib: int = 0
    gpus: int = 0
    tcp_ports: frozenset[int] = frozenset()
    udp_ports: frozenset[int] = frozenset()


class Ledger:
    """What is left of a container instance. Unlike `Resources` it changes with every task."""

    def __init__(self, *, cpu: int, memory_mib: int, gpu_ids: Iterable[str] = ()) -> None:
        self.cpu = cpu
        self.memory_mib = memory_mib
        self.gpu_ids = list(gpu_ids)
        self.tcp_ports = set(RESERVED_TCP_PORTS)
        self.udp_ports: set[int] = set()

    def lacking(self, ask: Resources) -> str | None:
        """The first resource that is short, as failures name it (API failure reasons: RESOURCE:*)."""
        if ask.cpu > self.cpu:
            return "RESOURCE:CPU"
        if ask.memory_mib > self.memory_mib:
            return "RESOURCE:MEMORY"
        if not self.tcp_ports.isdisjoint(ask.tcp_ports) or not self.udp_ports.isdisjoint(ask.udp_ports):
            return "RESOURCE:PORTS"
        if ask.gpus > len(self.gpu_ids):
            return "RESOURCE:GPU"
        return None

    def take(self, ask: Resources) -> list[str]:
        """Take what was asked; returns the GPUs taken. The caller has seen that nothing is lacking."""
        self.cpu -= ask.cpu
        self.memory_mib -= ask.memory_mib
        self.tcp_ports |= ask.tcp_ports
        self.udp_ports |= ask.udp_ports
        taken, self.gpu_ids = self.gpu_ids[: ask.gpus], self.gpu_ids[ask.gpus :]
        return taken

    def give_back(self, ask: Resources, gpu_ids: Iterable[str]) -> None:
        """Undo one `take`."""
        self.cpu += ask.cpu
        self.memory_mib += ask.memory_mib
        self.tcp_ports -= ask.tcp_ports
        self.udp_ports -= ask.udp_ports
        self.gpu_ids.extend(gpu_ids)

    def shapes(self) -> list[Shape]:
        """As DescribeContainerInstances shows them; PORTS are those in use (ECS API: ContainerInstance)."""
        shapes = [
            _integer("CPU", self.cpu),
            _integer("MEMORY", self.memory_mib),
            _string_set("PORTS", map(str, sorted(self.tcp_ports))),
            _string_set("PORTS_UDP", map(str, sorted(self.udp_ports))),
        ]
        return [*shapes, _string_set("GPU", self.gpu_ids)]


def _integer(name: str, value: int) -> Shape:
    return {"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": value}


def _string_set(name: str, values: Iterable[str]) -> Shape:
    return {
        "name": name,
        "type": "STRINGSET",
        "doubleValue": 0.0,
        "longValue": 0,
        "integerValue": 0,
        "stringSetValue": list(values),
    }


def ask_of(definition: Shape, overrides: Shape) -> Resources:
    """What a task asks for: the task-level values if set, else the sum over its containers.

    A container's memory is its memoryReservation if set, else its hard limit; a host port counts only where
    it is fixed (amazon-ecs-agent: Task.ToHostResources).
    """
    by_name = {override.get("name"): override for override in overrides.get("containerOverrides", ())}
    containers = [{**c, **_sizes(by_name.get(c["name"], {}))} for c in definition["containerDefinitions"]]
    cpu = overrides.get("cpu", definition.get("cpu"))
    memory = overrides.get("memory", definition.get("memory"))
    host_mode = definition.get("networkMode") == "host"
    return Resources(
        cpu=cpu_units(cpu) if cpu else sum(c.get("cpu", 0) for c in containers),
        memory_mib=memory_mib(memory) if memory else sum(map(_reservation_mib, containers)),
        gpus=sum(_gpus(c) for c in containers),
        tcp_ports=_fixed_ports(containers, "tcp", host_mode=host_mode),
        udp_ports=_fixed_ports(containers, "udp", host_mode=host_mode),
    )


def cpu_units(text: str) -> int:
    """Task-level cpu, `1024` or `1 vCPU` (ECS API: RegisterTaskDefinition, cpu)."""
    number, _, unit = text.partition(" ")
    return int(float(number) * 1024) if unit.lower() == "vcpu" else int(number)


def memory_mib(text: str) -> int:
    """Task-level memory, `1024` or `1 GB` (ECS API: RegisterTaskDefinition, memory)."""
    number, _, unit = text.partition(" ")
    return int(float(number) * 1024) if unit.upper() == "GB" else int(number)


def _sizes(override: Shape) -> Shape:
    names = ("cpu", "memory", "memoryReservation", "resourceRequirements")
    return {name: override[name] for name in names if name in override}


def _reservation_mib(container: Shape) -> int:
    size: int = container.get("memoryReservation") or container.get("memory") or 0
    return size


def _gpus(container: Shape) -> int:
    needs = container.get("resourceRequirements", ())
    return sum(int(need["value"]) for need in needs if need["type"] == "GPU")


def _fixed_ports(containers: Iterable[Shape], protocol: str, *, host_mode: bool) -> frozenset[int]:
    """In mode `host` a container port is a host port; in `bridge` host port 0 or none is chosen by Docker."""
    mappings = [
        m for c in containers for m in c.get("portMappings", ()) if m.get("protocol", "tcp") == protocol
    ]
    ports = (m.get("hostPort") or (m.get("containerPort", 0) if host_mode else 0) for m in mappings)
    return frozenset(port for port in ports if port)
