"""What an EC2 instance shows on its serial console: its boot, and whether the ECS agent came up."""

from base64 import b64encode

from scheduler.simulated_aws.ec2_instances import Ec2Instance
from scheduler.simulated_aws.region import Region
from scheduler.simulated_aws.shapes import Shape, present, utc


def console_shape(instance: Ec2Instance, region: Region, *, latest: bool) -> Shape:
    """EC2 API: GetConsoleOutput. Without `latest`, what was posted after the launch, once it was.

    boto3 decodes the base64 text that is on the wire.
    """
    posted_ms = instance.launched_ms + region.settings.console_output_ms
    if latest:
        posted_ms = region.now_ms
    is_there = instance.state != "pending" and region.now_ms >= posted_ms
    return present(
        InstanceId=instance.instance_id,
        Timestamp=utc(posted_ms) if is_there else None,
        Output=b64encode(_text(instance).encode()).decode() if is_there else None,
    )


def _text(instance: Ec2Instance) -> str:
    if instance.agent_starts:
        agent = "ecs-agent: registered with the cluster"
    else:
        agent = "systemd: ecs.service: main process exited, status=1/FAILURE"
    return f"Linux version 6.1 (simulated)\ncloud-init: {instance.instance_id} up\n{agent}\n"
