"""The growth book: sizes of types, and what EC2 was asked for."""

from scheduler.core.model.calls import SetDesiredCapacity
from scheduler.core.model.group import InstanceType
from scheduler.core.model.resources import Resources
from scheduler.core.world.growth_book import GrowthBook
from tests.builders import M4_4XLARGE, a_group

LARGE = InstanceType(name="m4.4xlarge", allocatable=Resources(cpu=16384, memory_mib=65536))
SMALL = InstanceType(name="m4.xlarge", allocatable=Resources(cpu=4096, memory_mib=16384))


def a_book(*types: InstanceType) -> GrowthBook:
    book = GrowthBook(declared_size_factor=0.93)
    book.declare(types)
    return book


def sizes(book: GrowthBook) -> dict[str, Resources]:
    return {each.name: each.allocatable for each in book.types}


def asked(book: GrowthBook, *types: str) -> None:
    book.ask(SetDesiredCapacity(group="ci", desired=len(types), types=types))


def in_flight_types(book: GrowthBook, in_flight: int) -> tuple[str, ...]:
    return book.capacity(a_group(desired=9), in_flight).in_flight_types


def test_before_an_instance_registered_a_type_is_a_share_of_what_ec2_declares() -> None:
    """An m4.4xlarge declares 65,536 MiB and registers less: 0.93 of it is believed."""
    assert sizes(a_book(LARGE)) == {"m4.4xlarge": Resources(cpu=15237, memory_mib=60948)}


def test_a_learned_size_is_believed_whenever_it_was_learned() -> None:
    """Before or after EC2 declared the type, and for that type alone."""
    book = GrowthBook(declared_size_factor=0.93)
    book.learn("m4.4xlarge", M4_4XLARGE)
    book.declare((LARGE, SMALL))
    assert sizes(book)["m4.4xlarge"] == M4_4XLARGE
    book.learn("m4.4xlarge", Resources(cpu=1, memory_mib=1))
    assert sizes(book)["m4.4xlarge"] == Resources(cpu=1, memory_mib=1)
    assert [each.learned for each in book.types] == [True, False]


def test_types_are_smallest_first() -> None:
    """Growth takes the first that holds a shape."""
    assert [each.name for each in a_book(LARGE, SMALL).types] == ["m4.xlarge", "m4.4xlarge"]


def test_what_was_asked_for_first_arrives_first() -> None:
    """As instances join, the types still in flight are the ones asked for last."""
    book = a_book(LARGE, SMALL)
    asked(book, "m4.xlarge", "m4.4xlarge")
    asked(book, "m4.4xlarge")
    assert in_flight_types(book, 3) == ("m4.xlarge", "m4.4xlarge", "m4.4xlarge")
    assert in_flight_types(book, 1) == ("m4.4xlarge",)
    assert in_flight_types(book, 0) == ()
    assert in_flight_types(book, 2) == ()
