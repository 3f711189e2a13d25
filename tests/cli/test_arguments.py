"""Arguments: what the commands make of them, and how they refuse them."""

import io
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

from scheduler.__main__ import main
from scheduler.cli import aws_sim
from scheduler.cli.app import app
from scheduler.cli.options import duration, labels
from scheduler.cli.requests import bamboo_spec, containers_spec, read_requests

NOBODY = "127.0.0.1:1"
CONTAINER = ("--container", "agent=alpine:3.20:1024:2048")

WRONG = [
    (["submit"], "--container"),
    (["submit", "--container", "alpine"], "NAME=IMAGE:CPU_UNITS:MEMORY_MIB"),
    (["submit", *CONTAINER, "--bamboo", "{}"], "give only one of --bamboo and --container"),
    (["submit", "--bamboo", "{}", "--env", "A=b"], "--env: with --container only"),
    (["submit", *CONTAINER, "--env", "FOO"], "--env: expected NAME=VALUE"),
    (["submit", "--bamboo", '{"nonsense": 1}'], "nonsense"),
    (["submit", *CONTAINER, "--label", "branch"], "--label: expected KEY=VALUE"),
    (["submit", "--file", "missing.jsonl"], "missing.jsonl"),
    (["watch", "--state", "SLEEPING"], "SLEEPING"),
    (["watch", "--retry-for", "-1"], "--retry-for"),
    (["submit", *CONTAINER, "--queue-timeout", "soon"], "--queue-timeout"),
    (["submit", *CONTAINER, "--run-timeout", "90"], "90s, 10m, 2h or 7d"),
    (["cancel", "t-1"], "--tenant"),
    (["cancel", "--tenant", "acme"], "TASK"),
    (["tasks"], "--tenant"),
    (["tasks", "--tenant", "acme", "--state", "SLEEPING"], "SLEEPING"),
    (["aws-sim", "--run-s", "long"], "MIN:MAX"),
    (["aws-sim", "--run-s", "9:1"], "MIN"),
    (["aws-sim", "--listen", "here"], "HOST:PORT"),
    (["aws-sim", "--epoch", "yesterday"], "yesterday"),
    (["aws-sim", "--listen", "127.0.0.1:99999"], "65535"),
    (["aws-sim", "--listen", ":4599"], "HOST:PORT"),
    (["aws-sim", "--run-s", "inf"], "year"),
    (["aws-sim", "--run-s", "1:1e9"], "year"),
    (["aws-sim", "--boot-s", "nan"], "MIN"),
    (["aws-sim", "--iam-policy", "missing.json"], "missing.json"),
    (["aws-sim", "--iam-policy", "README.md"], "not a policy"),
    (["doctor", "--simulated-aws", "127.0.0.1:1"], "http://127.0.0.1:1"),
    (["aws-sim", "--rate", "nan"], "--rate"),
    (["aws-sim", "--rate", "inf"], "--rate"),
    (["aws-sim", "--epoch", "99999999999999999999"], "2999"),
    (["aws-sim", "--epoch", "9999-12-31"], "2999"),
    (["aws-sim", "--epoch", "0001-01-01"], "0001-01-01"),
    (["aws-sim", "--epoch", "\u0661"], "\u0661"),
    (["submit", "--container", "agent=alpine:99999999999999999999:2048"], "99999999999999999999"),
    (["submit", "--container", f"agent=alpine:{'9' * 5_000}:2048"], "--container"),
    (["submit", "--container", "agent=alpine:\u0661:2048"], "NAME=IMAGE"),
    (["submit", *CONTAINER, "--priority", "99999999999"], "--priority"),
    (["submit", *CONTAINER, "--retry-for", "nan"], "--retry-for"),
    (["submit", *CONTAINER, "--queue-timeout", "\u0661s"], "--queue-timeout"),
    (["submit", "--file", "-", "--tenant", "acme"], "--tenant"),
    (["submit", "--file", "-", *CONTAINER, "--may-run-again"], "--container, --may-run-again"),
    (["submit", "--trace", "day.csv", "--tenant", "acme"], "--tenant"),
    (["submit", "--trace", "day.csv", "--file", "-"], "--trace"),
    (["submit", "--trace", "day.csv", "--from", "noon"], "3h20m"),
    (["submit", "--trace", "day.csv", "--window", "0s"], "--window"),
    (["submit", "--trace", "day.csv", "--speed", "inf"], "--speed"),
    (["submit", "--trace", "day.csv", "--run-id", "a b"], "--run-id"),
    (["submit", *CONTAINER, "--from", "1h", "--wait"], "--from, --wait: with --trace only"),
    (["scale", "--clear", "--for", "2h"], "--for: with --floor or --target only"),
    (["serve", "--simulated-aws", "127.0.0.1:4599"], "http://127.0.0.1:4599"),
    (["aws-sim", "--min", "3", "--max", "1"], "min_size"),
    (["aws-sim", "--instance-type", "t1.tiny"], "t1.tiny"),
]


@pytest.mark.parametrize(("arguments", "named"), WRONG, ids=lambda value: " ".join(value)[:40])
def test_wrong_argument(arguments: list[str], named: str) -> None:
    """A wrong argument ends the command with 2 and is named."""
    ended = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert ended.exit_code == 2
    assert named in ended.stderr


MAP_AS_ENVIRONMENT = '{"extraContainers": [{"environment": {"TOKEN": "hunter2 at work"}}]}'


@pytest.mark.parametrize(
    "arguments",
    [
        ["submit", *CONTAINER, "--env", "hunter2"],
        ["submit", *CONTAINER, "--env", "=hunter2"],
        ["submit", "--bamboo", MAP_AS_ENVIRONMENT],
    ],
)
def test_complaints_do_not_quote_secrets(arguments: list[str]) -> None:
    """A complaint ends in the log of a build that many may read, and what is misplaced may be a secret."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    "command",
    [
        ["submit", *CONTAINER, "--retry-for", "0"],
        ["watch", "--state", "running", "--retry-for", "0"],
        ["tasks", "--tenant", "acme", "--retry-for", "0"],
        ["cancel", "t-1", "--tenant", "acme", "--retry-for", "0"],
        ["cluster"],
    ],
)
def test_nobody_answers(command: list[str]) -> None:
    """Where nobody answers, a client command ends with 3 and one line that names the address."""
    ended = CliRunner().invoke(app, [*command, "--address", NOBODY])
    assert ended.exit_code == 3
    assert ended.stderr.startswith(f"ecs-scheduler: {NOBODY}")
    assert ended.stderr.count("\n") == 1


def test_silence_is_told_at_once() -> None:
    """That nobody answers is said on stderr when the waiting begins, and once for all calls."""
    requests = "{}\n" * 5
    words = ["submit", "--file", "-", "--retry-for", "0.2", "--address", NOBODY]
    ended = CliRunner().invoke(app, words, input=requests)
    first, last = ended.stderr.splitlines()
    assert first == f"ecs-scheduler: {NOBODY} does not answer; trying for 0.2 s"
    assert last.startswith(f"ecs-scheduler: {NOBODY} cannot be reached")
    assert (ended.exit_code, ended.stdout) == (3, "")


def test_version() -> None:
    """The program tells its version."""
    ended = CliRunner().invoke(app, ["--version"])
    assert (ended.exit_code, ended.stdout) == (0, f"ecs-scheduler {version('ecs-scheduler')}\n")


class Interrupted(ModuleType):
    """A module during whose import somebody presses Ctrl-C."""

    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_interrupted_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the program is still being read ends it with 130, without a traceback."""
    monkeypatch.setitem(sys.modules, "scheduler.cli.app", Interrupted("app"))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_container() -> None:
    """An image keeps its registry's port and its tag; what comes last is CPU and memory."""
    [container] = containers_spec(["db=reg.example:5000/pg:16:512:1024"], {}).containers
    assert (container.name, container.image) == ("db", "reg.example:5000/pg:16")
    assert (container.resources.cpu_units, container.resources.memory_mib) == (512, 1024)


def test_environment() -> None:
    """Environment goes to the main container only."""
    main, other = containers_spec(["a=a:1:1:4", "b=b:1:1:4"], {"TOKEN": "x=y"}).containers
    assert [(each.name, each.value) for each in main.environment] == [("TOKEN", "x=y")]
    assert not other.environment


def test_bamboo() -> None:
    """A Bamboo agent is given as the API's own JSON."""
    assert bamboo_spec('{"resultId": "APP-UNIT-JOB1-7"}').result_id == "APP-UNIT-JOB1-7"


def test_label_value() -> None:
    """A label's value may hold another equals sign."""
    assert labels(["query=a=b"]) == {"query": "a=b"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7_200), ("7d", 604_800), ("0s", 0)]
)
def test_duration(text: str, seconds: int) -> None:
    """A duration is a number and its unit."""
    assert duration(text).seconds == seconds


@pytest.mark.parametrize("text", ["", "s", "10", "-1s", "1.5h", "1h30m", "10 m", "10M", "1w", "1234567890s"])
def test_wrong_duration(text: str) -> None:
    """Whatever else is no duration."""
    with pytest.raises(typer.BadParameter, match="90s"):
        duration(text)


def test_file(tmp_path: Path) -> None:
    """Requests are numbered by their line, blank lines left out."""
    file = tmp_path / "requests.jsonl"
    file.write_text('{"tenant": "a"}\n\n{"tenant": "b"}\n')
    read = [(each.place, each.request.tenant) for each in read_requests(str(file))]
    assert read == [("line 1", "a"), ("line 3", "b")]


def test_wrong_line(tmp_path: Path) -> None:
    """A line that is no request is named before anything is sent."""
    file = tmp_path / "requests.jsonl"
    file.write_text('{"tenant": "a"}\n{"tenant":\n')
    with pytest.raises(typer.BadParameter, match="line 2"):
        read_requests(str(file))


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085"])
def test_line_ends_at_line_feed(tmp_path: Path, separator: str) -> None:
    """What Unicode calls the end of a line may stand in a JSON string: only a line feed ends a request."""
    file = tmp_path / "requests.jsonl"
    file.write_bytes(f'{{"labels": {{"a": "x{separator}y"}}}}\r\n{{"tenant": "b"}}\r\n'.encode())
    [first, second] = read_requests(str(file))
    assert first.request.labels["a"] == f"x{separator}y"
    assert (second.place, second.request.tenant) == ("line 2", "b")


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests from stdin are read as those from a file."""
    body = '{"labels": {"a": "x\u2028y"}}\n{"tenant": "b"}'.encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(body), encoding="latin-1"))
    assert [each.request.tenant for each in read_requests("-")] == ["", "b"]


@pytest.mark.parametrize("line", ["null", "[1]", '"text"', "7"])
def test_line_is_an_object(tmp_path: Path, line: str) -> None:
    """JSON that is no object is no request, and is told so."""
    file = tmp_path / "requests.jsonl"
    file.write_text(f"{{}}\n{line}\n")
    with pytest.raises(typer.BadParameter, match="line 2: expected a JSON object"):
        read_requests(str(file))


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark, which nobody sees, is named."""
    file = tmp_path / "requests.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"tenant": "a"}\n')
    with pytest.raises(typer.BadParameter, match=r"line 1: .*byte order mark"):
        read_requests(str(file))


def test_boot_is_split() -> None:
    """A boot's two parts add up to the whole, at both ends of the range."""
    launch, registration = aws_sim.split_boot((45_000, 100_000))
    assert (launch[0] + registration[0], launch[1] + registration[1]) == (45_000, 100_000)
