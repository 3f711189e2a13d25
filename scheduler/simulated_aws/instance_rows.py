"""Rows of instances: what EC2, ECS and the group each make of one, side by side, for tests and demos."""

from collections import defaultdict

from scheduler.simulated_aws.auto_scaling_group import AutoScalingGroup
from scheduler.simulated_aws.container_instances import ContainerInstance
from scheduler.simulated_aws.ec2_instances import Ec2Instance, Ec2Instances
from scheduler.simulated_aws.ecs import Ecs
from scheduler.simulated_aws.shapes import Shape


def instance_rows(ec2_instances: Ec2Instances, ecs: Ecs, group: AutoScalingGroup) -> list[Shape]:
    """One row per EC2 instance, ghosts of forgotten ones too, in order of launch."""
    registrations: defaultdict[str, list[ContainerInstance]] = defaultdict(list)
    known = dict(ec2_instances.by_id)
    for instance in ecs.container_instances:
        if instance.status != "INACTIVE":
            registrations[instance.ec2_instance.instance_id].append(instance)
            known[instance.ec2_instance.instance_id] = instance.ec2_instance
    in_order = sorted(known.values(), key=lambda instance: instance.sequence)
    return [_row(instance, registrations[instance.instance_id], ecs, group) for instance in in_order]


def _row(
    ec2_instance: Ec2Instance, registrations: list[ContainerInstance], ecs: Ecs, group: AutoScalingGroup
) -> Shape:
    """Absent is null: not a member, or not registered."""
    member = group.members.get(ec2_instance.instance_id)
    current = ecs.container_instances.of_ec2(ec2_instance.instance_id)
    return {
        "ec2InstanceId": ec2_instance.instance_id,
        "instanceType": ec2_instance.instance_type.name,
        "state": ec2_instance.state,
        "groupState": member and member.lifecycle_state,
        "agentConnected": current and current.agent_connected,
        "containerInstances": [_registration(instance, ecs) for instance in registrations],
        "orphanedTasks": [task.arn for task in ecs.orphans.of_ec2(ec2_instance.instance_id)],
    }


def _registration(instance: ContainerInstance, ecs: Ecs) -> Shape:
    tasks = [task for task in ecs.tasks.on(instance) if task.last_status != "STOPPED"]
    return {
        "containerInstanceArn": instance.arn,
        "status": instance.status,
        "agentConnected": instance.agent_connected,
        "tasks": {task.arn: task.last_status for task in tasks},
    }
