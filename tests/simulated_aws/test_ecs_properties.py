"""Bad things that never happen, whatever is called in whatever order."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulated_aws.driver import Driver, container, make_account

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.sampled_from(["small", "port", "large"]), st.integers(0, 2)),
        st.tuples(st.just("stop"), st.just(""), st.integers(0, 30)),
        st.tuples(st.just("pass"), st.just(""), st.integers(0, 40_000)),
        st.tuples(st.just("flip"), st.just(""), st.integers(0, 2)),
        st.tuples(st.just("terminate"), st.just(""), st.integers(0, 2)),
        st.tuples(st.just("deregister"), st.just(""), st.integers(0, 2)),
        st.tuples(st.just("reregister"), st.just(""), st.integers(0, 2)),
    ),
    max_size=40,
)


def account_with_definitions() -> Driver:
    account = make_account(desired_capacity=3, stop_ms=(0, 20_000), run_ms=(0, 60_000))
    account.register("small", container())
    account.register("port", container(portMappings=[{"containerPort": 1, "hostPort": 8080}]))
    account.register("large", container(cpu=9 * 1024, memoryReservation=40_000))
    return account


class Run:
    """Carries out steps and keeps what it has seen."""

    def __init__(self) -> None:
        self.account = account_with_definitions()
        self.instances = [i["containerInstanceArn"] for i in self.account.instances()]
        self.connected = dict.fromkeys(self.instances, True)
        self.tasks: list[str] = []
        self.versions: dict[str, int] = {}

    def step(self, kind: str, definition: str, number: int) -> None:
        match kind:
            case "start":
                answer = self.account.start_task(definition, self.instances[number])
                self.tasks += [task["taskArn"] for task in answer["tasks"]]
            case "stop" if self.tasks:
                self.account.ecs("StopTask", task=self.tasks[number % len(self.tasks)])
            case "pass":
                self.account.pass_ms(number)
            case "flip":
                self._flip(self.account.instance(self.instances[number]))
            case "terminate":
                ec2_id = self.account.instance(self.instances[number])["ec2InstanceId"]
                self.account.ec2("TerminateInstances", InstanceIds=[ec2_id])
            case "deregister" if self._status(number) != "INACTIVE":
                self.account.deregister(self.instances[number], force=True)
            case "reregister":
                self._reregister(self.account.instance(self.instances[number])["ec2InstanceId"], number)

    def _status(self, number: int) -> str:
        return str(self.account.instance(self.instances[number])["status"])

    def _reregister(self, ec2_id: str, number: int) -> None:
        """The new registration takes the place of the old one, which is still looked at."""
        if self.account.ec2_instance(ec2_id)["State"]["Name"] == "running":
            self.account.aws.reregister(ec2_id)
            self.instances.append(self.instances[number])
            self.instances[number] = self.account.instances()[-1]["containerInstanceArn"]

    def _flip(self, instance: dict[str, Any]) -> None:
        if instance["status"] != "INACTIVE":
            self.account.aws.set_agent_connected(instance["ec2InstanceId"], not instance["agentConnected"])

    def described_tasks(self) -> list[dict[str, Any]]:
        tasks = self.tasks[:100]
        described = self.account.ecs("DescribeTasks", tasks=tasks)["tasks"] if tasks else []
        return list(described)

    def check(self) -> None:
        tasks = self.described_tasks()
        for arn in self.instances:
            self._check_instance(
                self.account.instance(arn), [t for t in tasks if t["containerInstanceArn"] == arn]
            )
        for task in tasks:
            assert task["version"] >= self.versions.get(task["taskArn"], 0)
            self.versions[task["taskArn"]] = task["version"]
            assert (task["lastStatus"] == "STOPPED") == ("stoppedAt" in task)

    def _check_instance(self, instance: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
        registered = {r["name"]: r["integerValue"] for r in instance["registeredResources"]}
        remaining = {r["name"]: r["integerValue"] for r in instance["remainingResources"]}
        wanted = [t for t in tasks if t["desiredStatus"] == "RUNNING"]
        assert remaining["CPU"] == registered["CPU"] - sum(int(t["cpu"]) for t in wanted) >= 0
        assert remaining["MEMORY"] == registered["MEMORY"] - sum(int(t["memory"]) for t in wanted) >= 0
        alive = [t for t in tasks if t["lastStatus"] != "STOPPED"]
        assert instance["runningTasksCount"] + instance["pendingTasksCount"] == len(alive)
        really_running = sum(int(t["cpu"]) for t in alive if "pullStartedAt" in t)
        assert really_running <= registered["CPU"]


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_the_books_always_balance(steps: list[tuple[str, str, int]]) -> None:
    """What remains is what is registered less the tasks wanted RUNNING; counts match; versions never fall."""
    run = Run()
    for kind, definition, number in steps:
        run.step(kind, definition, number)
        run.check()
