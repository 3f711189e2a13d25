"""Stories: what happened in a run, one line an event."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Story:
    """The lines so far; none are kept unless it is `telling`."""

    telling: bool
    lines: list[str] = field(default_factory=list)

    def tell(self, at_s: float, kind: str, text: str) -> None:
        """One more event, at a time since the beginning."""
        if self.telling:
            self.lines.append(f"{at_s:9.3f} s  {kind:<8} {text}")
