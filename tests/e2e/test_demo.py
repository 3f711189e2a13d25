"""The demo, as a newcomer's CI would run it."""

from pathlib import Path

from tests.e2e.programs import run


def test_demo(tmp_path: Path) -> None:
    """Piped, the demo ends by itself with 0 and a summary that the journal agrees with."""
    demo = run("demo", "--rate", "20", directory=tmp_path, timeout_s=90)
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
