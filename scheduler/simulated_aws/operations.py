"""Operations: which API actions a service answers, and which of their parameters the model honours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scheduler.simulated_aws.errors import ApiError
from scheduler.simulated_aws.shapes import Shape

Handler = Callable[[Shape], Shape]


@dataclass(frozen=True, slots=True)
class Operation:
    """A handler with the names of the parameters it needs and of all those it honours."""

    handler: Handler
    required: frozenset[str]
    honoured: frozenset[str]


def operation(handler: Handler, parameters: str = "") -> Operation:
    """An operation from its parameters' names, separated by spaces; a required one ends in `!`."""
    names = parameters.split()
    return Operation(
        handler,
        frozenset(name[:-1] for name in names if name.endswith("!")),
        frozenset(name.rstrip("!") for name in names),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One AWS service's dispatch table."""

    operations: Mapping[str, Operation]
    missing: Callable[[str], ApiError]
    unknown_operation_code: str

    def call(self, name: str, params: Shape) -> Shape:
        """Carry out one operation.

        A parameter that the model does not honour is refused, not ignored: a caller that relies on it
        would otherwise be told by its tests that it works.
        """
        known = self.operations.get(name)
        if known is None:
            raise ApiError(self.unknown_operation_code, f"The simulated account has no operation {name}.")
        if not params.keys() <= known.honoured:
            names = ", ".join(sorted(params.keys() - known.honoured))
            raise ApiError("UnsupportedOperation", f"The simulated account does not model {names} of {name}.")
        for required in known.required:
            if params.get(required) is None:
                raise self.missing(f"Missing required parameter: {required}")
        return known.handler(params)
