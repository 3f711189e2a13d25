"""The demo, as a newcomer's CI would run it."""

import signal
import subprocess
from pathlib import Path

from tests.e2e.programs import command, environment, run

# What a developer's shell may hold for the AWS and the proxies of its own.
FOREIGN = {
    "AWS_PROFILE": "somebody-elses",
    "AWS_REGION": "us-west-2",
    "ECS_CLUSTER": "production",
    "ECS_SCHEDULER_MAX_ATTEMPT": "1",
    **dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:1"),
}
# Fewer agents and a faster clock than by default: the same plot in a third of the time.
BRIEFLY = ("--agents", "18", "--rate", "40")


def test_demo(tmp_path: Path) -> None:
    """Piped, in any surroundings, the demo ends by itself with 0, and the journal agrees with all it says."""
    demo = run("demo", *BRIEFLY, directory=tmp_path, timeout_s=110, variables=FOREIGN)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stderr == ""
    assert demo.stdout.count("\nok  ") == 7
    assert "each was started exactly once: 18 agents, 18 starts" in demo.stdout
    assert all(f" {head} " in demo.stdout for head in ("MISHAP", "ADOPTED", "LAUNCH_FAILED", "REMOVED"))
    assert len(demo.stdout.splitlines()) < 80
    assert "\x1b" not in demo.stdout


def test_demo_out_of_time(tmp_path: Path) -> None:
    """A demo that is given too little time says what is missing and exits with 1."""
    demo = run("demo", "--within", "1", directory=tmp_path)
    assert demo.returncode == 1
    assert "0 of 60 agents succeeded" in demo.stderr
    assert "Traceback" not in demo.stderr


def test_demo_interrupted(tmp_path: Path) -> None:
    """Whoever has seen enough ends it with Ctrl-C, and neither process stays behind."""
    with subprocess.Popen(
        command("demo"), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        address = demo.stdout.readline().split(" for ")[1].split(",")[0]
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)
    assert demo.returncode == 130
    after = run("cluster", "--timeout", "1", "--address", address, directory=tmp_path)
    assert after.returncode == 3
