"""The README's short table of settings, against the settings there are."""

import re
from pathlib import Path

from scheduler.config import PREFIX, load_settings

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `(ECS_\w+)` \| (.+?) \|", re.MULTILINE)
ROWS = dict(ROW.findall((ROOT / "README.md").read_text()))
MANDATORY = {name: "x" for name, default in ROWS.items() if default == "mandatory"}


def test_mandatory_settings_suffice() -> None:
    """With what the table calls mandatory, and nothing else, the settings are complete."""
    settings = load_settings(MANDATORY)
    assert ROWS[PREFIX + "LISTEN"] == f"`{settings.listen}`"
    assert ROWS[PREFIX + "STORE"] == f"`{settings.store}`"
    assert ROWS[PREFIX + "AWS_SHARE"] == f"`{settings.aws_share:g}`"


def test_settings_are_explained() -> None:
    """Every setting of the table has its row on the page that explains them all."""
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert not [name for name in ROWS if f"| `{name}` |" not in page]
