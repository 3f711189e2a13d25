"""Texts and times of AWS, as they can be stored and sent on."""

from datetime import datetime


def scrubbed(text: str) -> str:
    """The text without lone surrogates, which have no UTF-8: each becomes a question mark.

    JSON may hold half of a pair, as `\\ud83d` (RFC 8259, section 8.2), where a text was cut short.
    """
    return text.encode("utf-8", "replace").decode()


def milliseconds(time: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z of an aware datetime, as boto3 gives them."""
    return round(time.timestamp() * 1000)
