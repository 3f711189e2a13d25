"""Cases C: who is usable, fresh or stale among connected, disconnected, foreign and drained instances."""

from dataclasses import replace

from scheduler.core.model.container_instance import InstanceHealth
from tests.conformance.scenes import AS_THE_SEED, DAY, Scene, Used, percent
from tests.conformance.sick import detach
from tests.lab.worlds import CLUSTER, MINUTE_MS

POLICY = replace(AS_THE_SEED, instance_max_age_ms=DAY * MINUTE_MS)


def four(*numbers: int, ages: tuple[int, ...] = (0, 0, 2, 2)) -> tuple[Scene, list[str]]:
    """Four empty instances of these ages in days, in a group that could grow, and the EC2 ids of some."""
    scene = Scene(tuple(Used(0, 0, days * DAY) for days in ages), policy=POLICY)
    return scene, [scene.ec2_ids[number - 1] for number in numbers]


def take_out(scene: Scene, *ec2_ids: str) -> None:
    """An operator took them out of the group some time ago."""
    for ec2_id in ec2_ids:
        detach(scene.service, ec2_id)
    scene.pass_ms(MINUTE_MS)


def health(scene: Scene) -> list[InstanceHealth]:
    """Of the four, in order, by the first readings."""
    fleet = scene.service.engine.loop._world.fleet
    assert scene.service.run_until(
        lambda: len(fleet.health) == 4 and fleet.group is not None, limit_minutes=1
    )
    of = {fleet.ec2_ids[arn]: each for arn, each in fleet.health.items()}
    return [of[ec2_id] for ec2_id in scene.ec2_ids]


def test_c01_disconnected() -> None:
    """Whoever is disconnected is that, whatever its age; of the others only the young get tasks.

    The old one goes at once, for it is idle; those that are away have twenty minutes.
    """
    scene, away = four(2, 4)
    for ec2_id in away:
        scene.account.set_agent_connected(ec2_id, False)
    assert health(scene) == [
        InstanceHealth.SCHEDULABLE,
        InstanceHealth.DISCONNECTED,
        InstanceHealth.STALE,
        InstanceHealth.DISCONNECTED,
    ]
    scene.play(percent(10, 10), minutes=10)
    assert (scene.where(), scene.gone(), scene.replaced()) == ([1], [3], [])
    scene.service.let_pass(20)
    assert scene.replaced() == [2, 4]


def test_c02_not_in_the_group() -> None:
    """Fresh is the first alone; the unused old one may go, and strangers are judged apart."""
    scene, outside = four(2, 4)
    take_out(scene, *outside)
    assert health(scene) == [
        InstanceHealth.SCHEDULABLE,
        InstanceHealth.NOT_IN_GROUP,
        InstanceHealth.STALE,
        InstanceHealth.NOT_IN_GROUP,
    ]
    scene.play(percent(10, 10), minutes=10)
    assert scene.where() == [1]
    assert {each["ec2InstanceId"] for each in scene.service.instances()} == {scene.ec2_ids[0], *outside}


def test_c03_draining() -> None:
    """Fresh is the first alone. Differs from the seed, which ends what others drained: not ours to end."""
    scene, drained = four(2, 4)
    take_out(scene, drained[0])
    scene.account.call(
        "ecs",
        "UpdateContainerInstancesState",
        {
            "cluster": CLUSTER,
            "containerInstances": [scene.arn(each) for each in drained],
            "status": "DRAINING",
        },
    )
    assert health(scene) == [
        InstanceHealth.SCHEDULABLE,
        InstanceHealth.NOT_IN_GROUP,
        InstanceHealth.STALE,
        InstanceHealth.DRAINING,
    ]
    scene.play(percent(10, 10), minutes=10)
    assert scene.where() == [1]
    assert {each["ec2InstanceId"] for each in scene.service.instances()} == {scene.ec2_ids[0], *drained}


def test_c01_a_disconnected_instance_is_no_candidate_for_idleness() -> None:
    """Nobody knows what runs on it: in eighteen minutes none goes, young or old."""
    scene, away = four(1, 2, 3, 4, ages=(0, 0, 2, 2))
    for ec2_id in away:
        scene.account.set_agent_connected(ec2_id, False)
    scene.play(minutes=18)
    assert (scene.gone(), scene.replaced(), len(scene.service.instances())) == ([], [], 4)
