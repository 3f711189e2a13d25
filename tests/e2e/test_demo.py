"""The demo, as a newcomer's CI would run it."""

from pathlib import Path

from tests.e2e.programs import run

# What a developer's shell may hold for the AWS and the proxies of its own.
FOREIGN = {
    "AWS_PROFILE": "somebody-elses",
    "AWS_REGION": "us-west-2",
    "ECS_CLUSTER": "production",
    "ECS_SCHEDULER_MAX_ATTEMPT": "1",
    **dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:1"),
}


def test_demo(tmp_path: Path) -> None:
    """Piped, in any surroundings, the demo ends by itself with 0, and the journal agrees with its summary."""
    demo = run("demo", "--rate", "20", directory=tmp_path, timeout_s=90, variables=FOREIGN)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "exactly once: 20 agents, 20 starts" in demo.stdout
    assert demo.stdout.count("SUCCEEDED") == 20
    assert demo.stderr == ""
    assert "\x1b" not in demo.stdout


def test_demo_out_of_time(tmp_path: Path) -> None:
    """A demo that is given too little time says what is missing and exits with 1."""
    demo = run("demo", "--within", "1", directory=tmp_path)
    assert demo.returncode == 1
    assert "not all succeeded" in demo.stderr
    assert "Traceback" not in demo.stderr
