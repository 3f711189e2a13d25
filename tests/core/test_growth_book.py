"""The growth book: sizes of types, and what EC2 was asked for."""

import pytest

from scheduler.core.model.calls import SetDesiredCapacity
from scheduler.core.model.group import InstanceType, Supply
from scheduler.core.model.policy import Policy
from scheduler.core.model.resources import NOTHING, Architecture, Resources
from scheduler.core.world.growth_book import GrowthBook
from tests.builders import M4_4XLARGE, a_group, an_instance, instance_arn
from tests.clocks import START_MS

POLICY = Policy()
WHOLE, PIECE = Resources(cpu=15000, memory_mib=60000), Resources(cpu=1024, memory_mib=4006)
REFUSED = SetDesiredCapacity(group="ci", desired=5, types=("m4.4xlarge",))
LARGE = InstanceType(name="m4.4xlarge", allocatable=Resources(cpu=16384, memory_mib=65536))
SMALL = InstanceType(name="m4.xlarge", allocatable=Resources(cpu=4096, memory_mib=16384))


def a_book(*types: InstanceType) -> GrowthBook:
    book = GrowthBook(POLICY)
    book.declare(types)
    return book


def sizes(book: GrowthBook) -> dict[str, Resources]:
    return {each.name: each.allocatable for each in book.types}


def asked(book: GrowthBook, *types: str) -> None:
    book.ask(SetDesiredCapacity(group="ci", desired=len(types), types=types))


def in_flight_types(book: GrowthBook, in_flight: int) -> tuple[str, ...]:
    return book.capacity(a_supply(in_flight), START_MS).in_flight_types


def a_supply(in_flight: int, *launched_types: str) -> Supply:
    return Supply(group=a_group(desired=9), in_flight=in_flight, launched_types=launched_types)


def bought(book: GrowthBook, *asks: Resources, instance_type: str = "m4.4xlarge") -> None:
    """One instance for each shape is granted, and seen in flight."""
    call = SetDesiredCapacity(group="ci", desired=9, types=(instance_type,) * len(asks), asks=asks)
    book.ask(call)


def arrive(book: GrowthBook, number: int, offered: Resources, *, in_flight: int = 0) -> None:
    """Instance `number` comes, with this much room."""
    book.arrive(an_instance(number), offered, in_flight=in_flight, now_ms=START_MS)


def test_before_an_instance_registered_a_type_has_a_share_of_the_memory_that_ec2_declares() -> None:
    """An m4.4xlarge declares 65,536 MiB and registers less: 0.93 of it is believed; its CPU is all there."""
    assert sizes(a_book(LARGE)) == {"m4.4xlarge": Resources(cpu=16384, memory_mib=60948)}


@pytest.mark.parametrize("learned", [True, False])
def test_of_a_type_daemons_take_their_part(learned: bool) -> None:
    """Whether or not its size was learned, and until a census shows other ones."""
    book = a_book(LARGE)
    if learned:
        book.learn("m4.4xlarge", M4_4XLARGE)
    before = book.types
    book.keep_for_daemons(PIECE)
    assert sizes(book)["m4.4xlarge"] == before[0].allocatable - PIECE
    assert book.types[0].registered == before[0].registered
    book.keep_for_daemons(NOTHING)
    assert book.types == before


def test_a_type_that_its_daemons_overfill_has_nothing_for_tasks() -> None:
    """And registers what it registers: nothing new is learned of it."""
    book = a_book(SMALL)
    book.learn("m4.xlarge", PIECE)
    book.keep_for_daemons(WHOLE)
    assert (sizes(book)["m4.xlarge"], book.types[0].registered) == (NOTHING, PIECE)


def test_a_learned_size_is_believed_whenever_it_was_learned() -> None:
    """Before or after EC2 declared the type, and for that type alone."""
    book = GrowthBook(POLICY)
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


def test_what_the_group_lists_is_in_flight_as_what_it_is() -> None:
    """Whatever it was asked as, and even if nobody remembers that it was asked for."""
    book = a_book(LARGE, SMALL)
    supply = a_supply(3, "m5.large", "m5.large")
    assert book.capacity(supply, START_MS).in_flight_types == ("m5.large", "m5.large")
    asked(book, "m4.xlarge", "m4.4xlarge")
    assert book.capacity(supply, START_MS).in_flight_types == ("m5.large", "m5.large", "m4.4xlarge")


def test_an_instance_that_does_not_hold_what_it_was_bought_for_disappoints() -> None:
    """Nothing more is bought for that shape for a while."""
    book = a_book(LARGE)
    bought(book, WHOLE)
    arrive(book, 1, PIECE)
    end_ms = START_MS + POLICY.disappointment_ms
    assert book.capacity(a_supply(0), end_ms - 1).disappointing == {WHOLE}
    assert book.capacity(a_supply(0), end_ms).disappointing == frozenset()


def test_an_instance_that_holds_what_it_was_bought_for_disappoints_nobody() -> None:
    """Nor does one that was bought for another shape, in whatever order they come."""
    for offers in ((WHOLE, PIECE), (PIECE, WHOLE)):
        book = a_book(LARGE, SMALL)
        bought(book, PIECE, WHOLE)
        for number, offered in enumerate(offers, 1):
            arrive(book, number, offered, in_flight=2 - number)
        assert book.disappointing(START_MS) == frozenset()


def test_an_instance_that_nobody_here_bought_disappoints_nobody() -> None:
    """As many are still in flight as were bought: an operator asked for this one."""
    book = a_book(LARGE)
    bought(book, WHOLE)
    arrive(book, 1, PIECE, in_flight=1)
    assert book.disappointing(START_MS) == frozenset()


@pytest.mark.parametrize(("after_ms", "broken"), [(POLICY.settling_ms, 1), (POLICY.settling_ms + 1, 0)])
def test_daemons_that_start_late_disappoint_too(after_ms: int, broken: int) -> None:
    """They take their room in an instance's first seconds; what comes later is not the type's doing."""
    book = a_book(LARGE)
    bought(book, WHOLE)
    arrive(book, 1, M4_4XLARGE)
    book.settle(lambda arn: M4_4XLARGE, START_MS + after_ms - 1)
    book.settle({instance_arn(1): PIECE}.get, START_MS + after_ms)
    assert len(book.disappointing(START_MS + after_ms)) == broken


def test_an_instance_that_went_away_at_once_disappoints_nobody() -> None:
    """Nothing is known of its room."""
    book = a_book(LARGE)
    bought(book, WHOLE)
    arrive(book, 1, M4_4XLARGE)
    book.settle(lambda arn: None, START_MS)
    book.settle(lambda arn: PIECE, START_MS)
    assert book.disappointing(START_MS) == frozenset()


def test_growth_rests_longer_with_every_failure() -> None:
    """2 s, 10 s, then a minute each: what was refused is refused again."""
    book, now_ms = a_book(LARGE), START_MS
    for pause_ms in (*POLICY.growth_pauses_ms, POLICY.growth_pauses_ms[-1]):
        book.fail(REFUSED, now_ms)
        assert book.next_ms() == now_ms + pause_ms
        assert book.capacity(a_supply(0), now_ms + pause_ms - 1).resting
        now_ms += pause_ms
        assert not book.capacity(a_supply(0), now_ms).resting
        assert book.next_ms() is None


@pytest.mark.parametrize("granted", [True, False])
def test_asks_that_are_granted_end_no_rest_after_failed_launches(granted: bool) -> None:
    """Nor does a reading of the group; 2 s, 10 s, then a minute each, until launches recover."""
    book, now_ms = a_book(LARGE), START_MS
    for pause_ms in POLICY.growth_pauses_ms:
        book.fail_launch(now_ms)
        if granted:
            book.succeed()
        assert not book.has_grown(9)
        assert book.next_ms() == now_ms + pause_ms
        assert book.capacity(a_supply(1), now_ms + pause_ms - 1).resting
        now_ms += pause_ms
        assert not book.capacity(a_supply(1), now_ms).resting
    book.launches_recovered()
    book.fail_launch(now_ms)
    assert book.next_ms() == now_ms + POLICY.growth_pauses_ms[0]


def test_growth_rests_until_the_longer_of_two_rests_is_over() -> None:
    """A launch failed for the second time, and then an ask was refused."""
    book = a_book(LARGE)
    book.fail_launch(START_MS)
    book.fail_launch(START_MS)
    book.fail(REFUSED, START_MS)
    assert book.next_ms() == START_MS + POLICY.growth_pauses_ms[1]
    assert book.capacity(a_supply(1), START_MS + POLICY.growth_pauses_ms[0]).resting


@pytest.mark.parametrize("shown", [True, False])
def test_a_success_ends_the_rest(shown: bool) -> None:
    """Also one whose answer was lost: the group shows that it had its effect."""
    book = a_book(LARGE)
    book.fail(REFUSED, START_MS)
    assert not book.has_grown(REFUSED.desired - 1)
    if shown:
        assert book.has_grown(REFUSED.desired)
    else:
        book.succeed()
    assert not book.capacity(a_supply(0), START_MS).resting
    book.fail(REFUSED, START_MS)
    assert book.next_ms() == START_MS + POLICY.growth_pauses_ms[0]


def test_a_type_too_small_disappoints_as_soon_as_the_group_lists_it() -> None:
    """Minutes before it arrives; else another would be bought in every reading until then."""
    book = a_book(LARGE, SMALL)
    bought(book, WHOLE, PIECE)
    book.look_ahead(a_supply(2, "m4.xlarge"), START_MS)
    assert book.disappointing(START_MS) == frozenset()
    book.look_ahead(a_supply(2, "m4.xlarge", "m4.xlarge"), START_MS)
    assert book.disappointing(START_MS) == {WHOLE}


def test_a_type_that_is_not_known_may_hold_anything() -> None:
    """It is no type that growth would have expected."""
    book = a_book(LARGE)
    bought(book, WHOLE)
    book.look_ahead(a_supply(1, "m9.huge"), START_MS)
    assert book.disappointing(START_MS) == frozenset()


def test_what_is_learned_keeps_the_architecture() -> None:
    """The store has amounts alone; EC2 says what they are of."""
    book = a_book(InstanceType(name="m6g.4xlarge", allocatable=M4_4XLARGE.on(Architecture.ARM64)))
    book.learn("m6g.4xlarge", WHOLE)
    assert sizes(book) == {"m6g.4xlarge": WHOLE.on(Architecture.ARM64)}
