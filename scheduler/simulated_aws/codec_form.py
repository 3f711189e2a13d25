"""Values out of a form, by shape: the requests of both the query and the EC2 protocol.

A form's dotted names are a tree. Both protocols read the same tree; they differ in the names of members and
in where a list's items are, which is what `Naming` says.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl

from botocore.model import ListShape, MapShape, Shape, StructureShape

from scheduler.simulated_aws.codec_base import Coder, Lazily, Mismatch
from scheduler.simulated_aws.errors import ApiError

Form = str | dict[str, "Form"]
"""A value, or what is below it: `Filter.1.Name=x` is {"Filter": {"1": {"Name": "x"}}}."""


class Naming(Protocol):
    """How one protocol lays a request out."""

    tolerant: bool
    """Ignore members that the model does not know, or refuse them."""

    def member_name(self, shape: Shape, name: str) -> str:
        """The wire name of a structure's member."""
        ...

    def item_name(self, shape: ListShape) -> str | None:
        """The level between a list and its numbered items, if there is one."""
        ...


def parse_form(body: bytes) -> dict[str, Form]:
    """The tree of a form's dotted names. A later value of the same name replaces an earlier one."""
    tree: dict[str, Form] = {}
    for dotted, text in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        *above, name = dotted.split(".")
        level = tree
        for step in above:
            below = level.setdefault(step, {})
            if isinstance(below, str):
                raise ApiError("MalformedQueryString", f"{dotted} is below a name that has a value.")
            level = below
        level[name] = text
    return tree


def form_reader(shape: Shape, naming: Naming) -> Coder:
    """A coder from a form to a value of `shape`: raises `Mismatch`, or `ApiError` for an unknown member."""
    if isinstance(shape, StructureShape):
        return _structure(shape, naming)
    if isinstance(shape, ListShape):
        return _list(shape, naming)
    if isinstance(shape, MapShape):
        return _map(shape, naming)
    return _scalar(_SCALARS[shape.type_name])


def _structure(shape: StructureShape, naming: Naming) -> Coder:
    members = {naming.member_name(member, name): (name, member) for name, member in shape.members.items()}
    readers: Lazily[Coder] = Lazily(lambda wire_name: form_reader(members[wire_name][1], naming))

    def read(form: Form) -> dict[str, Any]:
        params = {}
        for wire_name, below in _below(form).items():
            if wire_name in members:
                params[members[wire_name][0]] = _under(wire_name, readers[wire_name], below)
            elif not naming.tolerant:
                raise ApiError("UnknownParameter", f"The parameter {wire_name} is not recognized")
        return params

    return read


def _list(shape: ListShape, naming: Naming) -> Coder:
    member, item_name = form_reader(shape.member, naming), naming.item_name(shape)

    def read(form: Form) -> list[Any]:
        items = form if item_name is None or form == "" else _below(form).get(item_name, "")
        return [_under(number, member, below) for number, below in _numbered(items)]

    return read


def _map(shape: MapShape, naming: Naming) -> Coder:
    flattened = shape.serialization.get("flattened")
    key_name = naming.member_name(shape.key, "key")
    value_name = naming.member_name(shape.value, "value")
    key, member = form_reader(shape.key, naming), form_reader(shape.value, naming)

    def read(form: Form) -> dict[str, Any]:
        pairs = form if flattened or form == "" else _below(form).get("entry", "")
        found = [_below(pair) for _, pair in _numbered(pairs)]
        return {key(pair.get(key_name, "")): member(pair.get(value_name, "")) for pair in found}

    return read


def _under(name: str, read: Coder, form: Form) -> Any:
    try:
        return read(form)
    except Mismatch as mismatch:
        raise mismatch.under(name) from None


def _below(form: Form) -> dict[str, Form]:
    if isinstance(form, str):
        raise Mismatch(f"{form!r} stands where a structure or a list is expected")
    return form


def _numbered(form: Form) -> list[tuple[str, Form]]:
    """The items in the order of their numbers. An empty list is sent as an empty value."""
    if form == "":
        return []
    try:
        return sorted(_below(form).items(), key=lambda item: int(item[0]))
    except ValueError as error:
        raise Mismatch("a list's items are numbered") from error


def _scalar(parse: Callable[[str], Any]) -> Coder:
    def read(form: Form) -> Any:
        if isinstance(form, str):
            try:
                return parse(form)
            except (ValueError, OverflowError) as error:
                raise Mismatch(f"{form!r} cannot be read: {error}") from error
        raise Mismatch("a structure stands where a value is expected")

    return read


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("expected true or false")
    return text.lower() == "true"


def _timestamp(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "character": str,
    "boolean": _boolean,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "timestamp": _timestamp,
    "blob": lambda text: b64decode(text, validate=True),
}
