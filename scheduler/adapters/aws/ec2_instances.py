"""EC2's word on instances: whatever it knows of some ids, and the states of those that fell silent."""

from collections.abc import Iterator, Sequence

from scheduler.adapters.aws.failures import cloud_errors
from scheduler.adapters.aws.operations import Ec2Reads, Shape
from scheduler.adapters.aws.paging import batches, pages
from scheduler.core.model.container_instance import GONE
from scheduler.ports.cloud import CloudError


def is_ec2(instance_id: str) -> bool:
    """False for an instance that EC2 never knew: ECS shows external ones by the id that Systems Manager gave
    them, `mi-…` (ECS API: ContainerInstance).
    """
    return instance_id.startswith("i-")


def described(ec2: Ec2Reads, instance_ids: Sequence[str]) -> Iterator[Shape]:
    """`ec2:DescribeInstances` of those that EC2 knows, terminated ones included.

    By filter: one unknown id in `InstanceIds` fails the whole call (InvalidInstanceID.NotFound).
    """
    for batch in batches(instance_ids):
        filters = [{"Name": "instance-id", "Values": batch}]
        for answer in pages(ec2.describe_instances, token="NextToken", Filters=filters):
            for reservation in answer["Reservations"]:
                yield from reservation["Instances"]


def states(ec2: Ec2Reads, instance_ids: Sequence[str]) -> dict[str, str]:
    """States by id, GONE for one that a complete answer lacks, and none at all while EC2 cannot be asked.

    The cluster's reading is worth more than this word, which the next one brings.
    """
    try:
        with cloud_errors():
            known = {each["InstanceId"]: each["State"]["Name"] for each in described(ec2, instance_ids)}
    except CloudError:
        return {}
    return {each: known.get(each, GONE) for each in instance_ids}
