"""Pages: the part of a list that one answer carries, and the token for the rest."""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from scheduler.simulated_aws.errors import ApiError

Item = TypeVar("Item")
Key = int | str


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page; `next_token` is absent on the last one."""

    items: Sequence[Item]
    next_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """What the caller asked for. `scope` names the operation and its filters: a token fits only its own."""

    size: int
    token: str | None
    scope: str
    refusal: Callable[[str], ApiError]
    descending: bool = False


def cut(items: Sequence[Item], key: Callable[[Item], Key], request: PageRequest) -> Page[Item]:
    """The page that begins after the token's key; `items` are sorted by `key`, ascending.

    The token holds a key, not a position: items that come or go between two pages neither repeat nor
    hide others.
    """
    rest = _after_token(items, key, request)
    chosen = rest[: request.size]
    return Page(chosen, _encode(request.scope, key(chosen[-1])) if len(rest) > request.size else None)


def _after_token(items: Sequence[Item], key: Callable[[Item], Key], request: PageRequest) -> Sequence[Item]:
    keys = [key(item) for item in items] if request.token else []
    if request.descending:
        return (items[: bisect_left(keys, _decode(request))] if request.token else items)[::-1]
    return items[bisect_right(keys, _decode(request)) :] if request.token else items


def _encode(scope: str, last_key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps([scope, last_key]).encode()).decode()


def _decode(request: PageRequest) -> Key:
    try:
        scope, last_key = json.loads(base64.urlsafe_b64decode(request.token or ""))
    except (binascii.Error, UnicodeDecodeError, ValueError, TypeError):
        raise request.refusal("Invalid token.") from None
    if scope != request.scope or not isinstance(last_key, int | str):
        raise request.refusal("Invalid token.")
    return last_key
