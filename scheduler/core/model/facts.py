"""Facts that survive a restart, and how they are written in the store's fact table."""

from scheduler.core.model.records import FactRecorded
from scheduler.core.model.resources import Resources

DEFINITION_PREFIX = "definition/"
INSTANCE_TYPE_PREFIX = "instance_type/"


def definition_fact(definition_key: str, arn: str) -> FactRecorded:
    """The ARN of the revision registered for a content hash."""
    return FactRecorded(key=DEFINITION_PREFIX + definition_key, value=arn)


def instance_type_fact(name: str, registered: Resources) -> FactRecorded:
    """The least that instances of a type were seen to register, as `cpu memory_mib gpus`."""
    value = f"{registered.cpu} {registered.memory_mib} {registered.gpus}"
    return FactRecorded(key=INSTANCE_TYPE_PREFIX + name, value=value)


def read_resources(value: str) -> Resources:
    """The amount that `instance_type_fact` wrote."""
    cpu, memory_mib, gpus = (int(each) for each in value.split())
    return Resources(cpu=cpu, memory_mib=memory_mib, gpus=gpus)
