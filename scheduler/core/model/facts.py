"""Facts that survive a restart, and how they are written in the store's fact table."""

from scheduler.core.model.records import FactRecorded
from scheduler.core.model.resources import Resources
from scheduler.core.model.revision import Revision

DEFINITION_PREFIX = "definition/"
INSTANCE_TYPE_PREFIX = "instance_type/"
DISCONNECTED_PREFIX = "disconnected/"
PAIR_PREFIX = "pair/"
MEMBER_PREFIX = "member/"
REVISION_PREFIX = "revision/"
LAUNCH_FAILURE = "launch_failure"
FAMILY_SCANNED = "family_scanned"


def definition_fact(definition_key: str, arn: str) -> FactRecorded:
    """The ARN of the revision registered for a content hash."""
    return FactRecorded(key=DEFINITION_PREFIX + definition_key, value=arn)


def revision_fact(revision: Revision) -> FactRecorded:
    """A revision of ours with the last day on which it was used, as `day key`."""
    value = f"{revision.used_day} {revision.definition_key}"
    return FactRecorded(key=REVISION_PREFIX + revision.arn, value=value)


def forgotten_revision_fact(arn: str) -> FactRecorded:
    """A revision is deregistered, and nothing more is to be done about it."""
    return FactRecorded(key=REVISION_PREFIX + arn, value="")


def read_revision(arn: str, value: str) -> Revision:
    """The revision that `revision_fact` wrote."""
    day, _, definition_key = value.partition(" ")
    return Revision(arn=arn, definition_key=definition_key, used_day=int(day))


def family_scanned_fact() -> FactRecorded:
    """The family was looked through for revisions of ours: this store knows what there is."""
    return FactRecorded(key=FAMILY_SCANNED, value="done")


def instance_type_fact(name: str, registered: Resources) -> FactRecorded:
    """The least that instances of a type were seen to register, as `cpu memory_mib gpus`."""
    value = f"{registered.cpu} {registered.memory_mib} {registered.gpus}"
    return FactRecorded(key=INSTANCE_TYPE_PREFIX + name, value=value)


def disconnected_fact(ec2_instance_id: str, since_ms: int | None) -> FactRecorded:
    """Since when an instance's agent is away; None: it is back, or the instance is gone."""
    value = "" if since_ms is None else str(since_ms)
    return FactRecorded(key=DISCONNECTED_PREFIX + ec2_instance_id, value=value)


def pair_fact(cluster: str, group: str) -> FactRecorded:
    """A member of this group was seen in this cluster: they belong together."""
    return FactRecorded(key=f"{PAIR_PREFIX}{cluster}/{group}", value="seen")


def member_fact(ec2_instance_id: str, group: str) -> FactRecorded:
    """The group that an instance was last seen to be a member of; empty: the instance is gone."""
    return FactRecorded(key=MEMBER_PREFIX + ec2_instance_id, value=group)


def launch_failure_fact(at_ms: int) -> FactRecorded:
    """The newest failed launch that was told, by its time: none is told twice."""
    return FactRecorded(key=LAUNCH_FAILURE, value=str(at_ms))


def read_resources(value: str) -> Resources:
    """The amount that `instance_type_fact` wrote."""
    cpu, memory_mib, gpus = (int(each) for each in value.split())
    return Resources(cpu=cpu, memory_mib=memory_mib, gpus=gpus)
