"""Task definitions: revisions, what registration refuses, how they are found again."""

from typing import Any

import pytest

from tests.simulated_aws.driver import container, make_account, refused


def test_revisions_count_up_in_each_family() -> None:
    """Each registration is the next revision of its family; a number is never used again."""
    account = make_account()
    first = account.register()["taskDefinitionArn"]
    account.definitions("DeregisterTaskDefinition", taskDefinition=first)
    assert account.register()["revision"] == 2
    assert account.register("others")["revision"] == 1


def test_container_definitions_are_kept_whole() -> None:
    """Everything that was registered comes back, with ECS's defaults for what was not said."""
    account = make_account()
    account.register("agents", container(entryPoint=["/run.sh"], ulimits=[{"name": "nofile"}]))
    described = account.definitions("DescribeTaskDefinition", taskDefinition="agents")
    (found,) = described["taskDefinition"]["containerDefinitions"]
    assert (found["entryPoint"], found["ulimits"]) == (["/run.sh"], [{"name": "nofile"}])
    assert (found["essential"], found["environment"]) == (True, [])


def test_the_caller_cannot_change_a_registered_definition() -> None:
    """A registration is copied: altering what was sent does not alter the definition."""
    account = make_account()
    sent = container()
    account.register("agents", sent)
    sent["image"] = "other"
    described = account.definitions("DescribeTaskDefinition", taskDefinition="agents:1")
    assert described["taskDefinition"]["containerDefinitions"][0]["image"] == "registry.example/agent:1"


def test_a_family_means_its_newest_active_revision() -> None:
    """Without a revision the newest ACTIVE one is meant, not the newest."""
    account = make_account()
    account.register()
    second = account.register()["taskDefinitionArn"]
    account.definitions("DeregisterTaskDefinition", taskDefinition=second)
    described = account.definitions("DescribeTaskDefinition", taskDefinition="agents")
    assert described["taskDefinition"]["revision"] == 1


def test_an_inactive_revision_can_still_be_described() -> None:
    """A deregistered revision is INACTIVE and says when it was deregistered."""
    account = make_account()
    arn = account.register()["taskDefinitionArn"]
    account.definitions("DeregisterTaskDefinition", taskDefinition=arn)
    described = account.definitions("DescribeTaskDefinition", taskDefinition=arn)["taskDefinition"]
    assert described["status"] == "INACTIVE"
    assert "deregisteredAt" in described


def test_tags_of_a_definition_are_shown_on_request() -> None:
    """DescribeTaskDefinition shows tags with include=TAGS only."""
    account = make_account()
    tags = [{"key": "config-hash", "value": "abc"}]
    account.register(tags=tags)
    assert "tags" not in account.definitions("DescribeTaskDefinition", taskDefinition="agents")
    described = account.definitions("DescribeTaskDefinition", taskDefinition="agents", include=["TAGS"])
    assert described["tags"] == tags


def test_an_unknown_definition_cannot_be_described() -> None:
    """DescribeTaskDefinition of an unknown one is a ClientException."""
    with refused("ClientException", "Unable to describe task definition"):
        make_account().definitions("DescribeTaskDefinition", taskDefinition="nobody")


def test_a_deregistration_needs_a_revision() -> None:
    """A family alone does not say what to deregister."""
    account = make_account()
    account.register()
    with refused("ClientException", "Invalid revision"):
        account.definitions("DeregisterTaskDefinition", taskDefinition="agents")


def test_definitions_are_listed_newest_first_across_pages() -> None:
    """ListTaskDefinitions of one family, DESC, is stable while new revisions are registered."""
    account = make_account()
    arns = [account.register()["taskDefinitionArn"] for _ in range(4)]
    params: dict[str, Any] = {"familyPrefix": "agents", "sort": "DESC", "maxResults": 2}
    first = account.definitions("ListTaskDefinitions", **params)
    account.register()
    rest = account.definitions("ListTaskDefinitions", **params, nextToken=first["nextToken"])
    assert [*first["taskDefinitionArns"], *rest["taskDefinitionArns"]] == arns[::-1]


def test_inactive_definitions_are_listed_apart() -> None:
    """The list shows ACTIVE ones unless INACTIVE ones are asked for; the prefix is the whole family."""
    account = make_account()
    arn = account.register()["taskDefinitionArn"]
    account.register("agents-2")
    account.definitions("DeregisterTaskDefinition", taskDefinition=arn)
    listed = account.definitions("ListTaskDefinitions", familyPrefix="agents")
    assert listed["taskDefinitionArns"] == []
    listed = account.definitions("ListTaskDefinitions", familyPrefix="agents", status="INACTIVE")
    assert listed["taskDefinitionArns"] == [arn]


@pytest.mark.parametrize(
    ("containers", "match"),
    [
        ([container(memoryReservation=None)], "At least one of"),
        ([container(), container()], "unique"),
        ([container(essential=False)], "essential"),
        ([container(image="")], "image"),
        ([container(cpu=-1)], "cpu"),
        ([container(memoryReservation=3)], "4 MiB"),
        ([container(memory=100)], "memoryReservation"),
        ([container("has space")], "invalid characters"),
        ([container(links=["nobody"])], "links to an unknown"),
        ([container(volumesFrom=[{"sourceContainer": "nobody"}])], "Unknown source"),
        ([container(mountPoints=[{"sourceVolume": "nowhere"}])], "Unknown volume"),
        ([container(secrets=[{"name": "A", "valueFrom": "a"}])], "executionRoleArn"),
        ([container(repositoryCredentials={"credentialsParameter": "a"})], "executionRoleArn"),
        ([container(ulimits=[{"name": "files", "softLimit": 1, "hardLimit": 1}])], "Invalid ulimit"),
        ([container(ulimits=[{"name": "core", "softLimit": 2, "hardLimit": 1}])], "above hardLimit"),
    ],
)
def test_registration_refuses_what_ecs_refuses(containers: list[dict[str, Any]], match: str) -> None:
    """A definition that ECS would refuse is a ClientException, and uses up no revision."""
    account = make_account()
    with refused("ClientException", match):
        account.register("agents", *containers)
    assert account.register()["revision"] == 1


def test_references_within_a_definition_are_accepted() -> None:
    """Links, volumesFrom and mountPoints may name what the same definition declares."""
    main = container(
        links=["database:db"],
        volumesFrom=[{"sourceContainer": "database"}],
        mountPoints=[{"sourceVolume": "build-dir", "containerPath": "/build"}],
    )
    database = container("database", essential=False)
    definition = make_account().register("agents", main, database, volumes=[{"name": "build-dir"}])
    assert definition["volumes"] == [{"name": "build-dir"}]


def test_the_reservation_is_what_a_container_asks_for() -> None:
    """With both a reservation and a hard limit, the reservation is what is taken; alone, the limit is."""
    account = make_account()
    account.register("both", container(memory=5_000))
    account.register("limit", container(memory=5_000, memoryReservation=None))
    sizes = [account.task(account.started(family))["memory"] for family in ("both", "limit")]
    assert sizes == ["4000", "5000"]


@pytest.mark.parametrize(("cpu", "memory"), [("1024", "2048"), ("1 vCPU", "2 GB")])
def test_task_level_sizes_replace_the_sum_of_the_containers(cpu: str, memory: str) -> None:
    """A task-level size is what the task asks for, however its containers share it."""
    account = make_account()
    account.register(cpu=cpu, memory=memory)
    task = account.task(account.started())
    assert (task["cpu"], task["memory"]) == ("1024", "2048")


def test_pages_of_a_family_lead_from_the_newest_to_the_oldest() -> None:
    """Sorted DESC in pages of 100, every revision is listed once, the newest first."""
    account = make_account()
    account.aws.register_revisions("agents", 250)
    listed: list[str] = []
    page: dict[str, Any] = {}
    while not listed or "nextToken" in page:
        following = {"nextToken": page["nextToken"]} if page else {}
        page = account.definitions("ListTaskDefinitions", familyPrefix="agents", sort="DESC", **following)
        listed += page["taskDefinitionArns"]
    assert [int(arn.rpartition(":")[2]) for arn in listed] == list(range(250, 0, -1))


def test_revisions_of_others_have_no_tags() -> None:
    """Somebody who tags nothing registers in the same family."""
    account = make_account()
    account.aws.register_revisions("agents", 1)
    described = account.definitions("DescribeTaskDefinition", taskDefinition="agents", include=["TAGS"])
    assert described["tags"] == []


def test_a_deregistered_revision_is_listed_no_more() -> None:
    """Nor does it become ACTIVE again; deregistering it twice is answered alike."""
    account = make_account()
    arn = account.register()["taskDefinitionArn"]
    for _ in range(2):
        answer = account.definitions("DeregisterTaskDefinition", taskDefinition=arn)
        assert answer["taskDefinition"]["status"] == "INACTIVE"
    assert account.definitions("ListTaskDefinitions", familyPrefix="agents")["taskDefinitionArns"] == []


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"volumes": [{"name": "a"}, {"name": "a"}]}, "Volume.name must be unique"),
        (
            {
                "executionRoleArn": "arn:aws:iam::123456789012:role/r",
                "containerDefinitions": [
                    container(
                        secrets=[{"name": "A", "valueFrom": "a"}], environment=[{"name": "A", "value": "1"}]
                    )
                ],
            },
            "secret name must be unique",
        ),
    ],
)
def test_registration_refuses_what_contradicts_itself(changes: dict[str, Any], match: str) -> None:
    """Volumes, platforms and secrets that ECS would refuse."""
    account = make_account()
    definition = {"family": "agents", "containerDefinitions": [container()]} | changes
    with refused("ClientException", match):
        account.definitions("RegisterTaskDefinition", **definition)


def test_registration_knows_the_architectures() -> None:
    """Those of ECS API: RuntimePlatform."""
    definition = {"family": "agents", "containerDefinitions": [container()]}
    with refused("InvalidParameterException", "cpuArchitecture"):
        make_account().definitions(
            "RegisterTaskDefinition", **definition, runtimePlatform={"cpuArchitecture": "RISCV"}
        )
