"""Texts of AWS, as they can be stored and sent on."""


def scrubbed(text: str) -> str:
    """The text without lone surrogates, which have no UTF-8: each becomes a question mark.

    JSON may hold half of a pair, as `\\ud83d` (RFC 8259, section 8.2), where a text was cut short.
    """
    return text.encode("utf-8", "replace").decode()
