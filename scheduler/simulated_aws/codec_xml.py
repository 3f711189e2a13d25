"""XML out of values, by shape: the answers of both the query and the EC2 protocol.

Facts: Smithy's "AWS Query protocol" and "AWS EC2 query protocol": an element is named by the member's
locationName; a list's items are <member> unless the list names them (EC2's lists name them <item>); a
flattened list repeats its own element; timestamps are ISO 8601 in UTC; blobs are base64.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from scheduler.simulated_aws.codec_base import Lazily, Mismatch, aware, of_type

Writer = Callable[[Any], str]
"""Writes one value as XML text."""

_CHANGED = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_REPLACEMENT = "\ufffd"  # XML 1.0 section 2.2: the other control characters cannot be written at all


def escape(text: str) -> str:
    """`text` as the content of an element."""
    return _CHANGED.sub(lambda found: _ENTITIES.get(found[0], _REPLACEMENT), text)


def element(tag: str, content: str) -> str:
    """One element; `content` is XML already."""
    return f"<{tag}>{content}</{tag}>" if content else f"<{tag}/>"


def content_writer(shape: Shape) -> Writer:
    """A writer of what stands inside the element of `shape`."""
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape, shape.member.serialization.get("name", "member"))
    if isinstance(shape, MapShape):
        return _map(shape, "entry")
    return _SCALARS[shape.type_name]


def _member_writer(shape: Shape, name: str) -> Writer:
    """A writer of a structure's member with its element, or elements if it is flattened."""
    tag = shape.serialization.get("name", name)
    if shape.serialization.get("flattened"):
        if isinstance(shape, ListShape):
            return _list(shape, shape.member.serialization.get("name", tag))
        if isinstance(shape, MapShape):
            return _map(shape, tag)
    write = content_writer(shape)
    return lambda value: element(tag, write(value))


def _structure(shape: StructureShape) -> Writer:
    members = shape.members
    writers: Lazily[Writer] = Lazily(lambda name: _member_writer(members[name], name))
    check = of_type(dict)

    def write(value: Any) -> str:
        written = []
        for name, item in check(value).items():
            if item is None:
                continue
            if name not in members:
                raise Mismatch(f"{shape.name} has no member of this name", (name,))
            try:
                written.append(writers[name](item))
            except Mismatch as mismatch:
                raise mismatch.under(name) from None
        return "".join(written)

    return write


def _list(shape: ListShape, tag: str) -> Writer:
    write, check = content_writer(shape.member), of_type(list, tuple)
    return lambda value: "".join([element(tag, write(item)) for item in check(value)])


def _map(shape: MapShape, tag: str) -> Writer:
    key_tag = shape.key.serialization.get("name", "key")
    value_tag = shape.value.serialization.get("name", "value")
    write_key, write_value, check = content_writer(shape.key), content_writer(shape.value), of_type(dict)

    def write_pair(key: Any, item: Any) -> str:
        return element(tag, element(key_tag, write_key(key)) + element(value_tag, write_value(item)))

    def write(value: Any) -> str:
        return "".join([write_pair(key, item) for key, item in check(value).items()])

    return write


def _printed(*types: type) -> Writer:
    check = of_type(*types)
    return lambda value: str(check(value))


def _boolean(value: Any) -> str:
    return "true" if of_type(bool)(value) else "false"


def _string(value: Any) -> str:
    return escape(of_type(str)(value))


def _timestamp(value: Any) -> str:
    return aware(value).astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _blob(value: Any) -> str:
    return b64encode(of_type(bytes, bytearray)(value)).decode()


_SCALARS: Mapping[str, Writer] = {
    "string": _string,
    "character": _string,
    "boolean": _boolean,
    "integer": _printed(int),
    "long": _printed(int),
    "float": _printed(int, float),
    "double": _printed(int, float),
    "timestamp": _timestamp,
    "blob": _blob,
}
