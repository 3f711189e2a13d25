"""Opaque tokens: short texts that clients hand back as they got them, url-safe."""

from base64 import b64decode, urlsafe_b64encode


def sealed(text: str) -> str:
    """The text as a token. Not secret and not signed: whoever opens one finds only places, no rights."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def opened(token: str) -> str | None:
    """The text of a token, or None when it never was one."""
    try:
        return b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        return None
