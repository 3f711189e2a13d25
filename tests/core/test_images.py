"""Images: where their layers are, and how that breaks ties."""

from scheduler.core.model.resources import Resources
from scheduler.core.placement.images import MOST_IMAGES, MOST_INSTANCES, Holder, Images
from scheduler.core.placement.packer import pack
from tests.builders import REGULAR, a_backlog, a_task, an_index, an_instance, instance_arn
from tests.clocks import START_MS

AGENT = "agent:1"


def holder(number: int, launched_ms: int = START_MS) -> Holder:
    return Holder(launched_ms, instance_arn(number))


def place(
    *holders: int, instances: int = 4, less_on: int = 0, image: str = AGENT, count: int = 1
) -> list[str]:
    """Where tasks of an image go on alike instances, when these have it; one may have less room."""
    rooms = [an_instance(number) for number in range(1, instances + 1) if number != less_on]
    if less_on:
        rooms.append(an_instance(less_on, remaining=Resources(cpu=8_192, memory_mib=32_000)))
    index = an_index(*rooms)
    for number in holders:
        index.images.note(AGENT, holder(number))
    tasks = [a_task(number, image=image) for number in range(1, count + 1)]
    return [arn for _, arn in pack(a_backlog(*tasks), index, limit=9).placed]


def test_of_instances_with_the_same_room_one_that_has_the_image_goes_first() -> None:
    """The oldest of those that have it; without any the oldest of all."""
    assert place(3, 2) == [instance_arn(2)]
    assert place(3, 2, image="other:1") == [instance_arn(1)]


def test_the_image_is_no_reason_to_break_another_instance() -> None:
    """Best fit comes first: the fullest gets it, wherever the image is."""
    assert place(3, less_on=4) == [instance_arn(4)]


def test_an_instance_that_has_the_image_and_is_gone_or_fuller_changes_nothing() -> None:
    """A hint is no candidate."""
    assert place(9) == [instance_arn(1)]
    assert place(4, 3, less_on=4, image="other:1") == [instance_arn(4)]


def test_the_hint_is_avoided_where_the_shape_was_refused() -> None:
    """Then the next one that has it goes, and after that the oldest."""
    index = an_index(*(an_instance(number) for number in (1, 2, 3)))
    for number in (2, 3):
        index.images.note(AGENT, holder(number))
    for avoided, expected in (({2}, 3), ({2, 3}, 1)):
        suspects = frozenset((instance_arn(number), REGULAR) for number in avoided)
        backlog = a_backlog(a_task(1, image=AGENT))
        ((_, arn),) = pack(backlog, index, limit=9, suspects=suspects).placed
        assert arn == instance_arn(expected)


def test_no_more_is_remembered_than_is_looked_up() -> None:
    """The latest instances of an image, and the images that were started latest."""
    images = Images()
    for number in range(MOST_INSTANCES + 2):
        images.note(AGENT, holder(number))
    images.note(AGENT, holder(5))
    assert len(images.of(AGENT)) == MOST_INSTANCES
    assert images.of(AGENT)[-1] == holder(5)
    for number in range(MOST_IMAGES):
        images.note(f"image:{number}", holder(1))
    assert images.of(AGENT) == ()
    assert images.of("image:0") == (holder(1),)


def test_an_instance_that_is_gone_is_forgotten() -> None:
    """Nothing is kept of it; its images are remembered while another one has them."""
    images = Images()
    images.note(AGENT, holder(1))
    images.note(AGENT, holder(2))
    images.note("other:1", holder(1))
    images.forget(instance_arn(1))
    assert (images.of(AGENT), images.of("other:1")) == ((holder(2),), ())
