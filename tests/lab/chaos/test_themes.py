"""Themes of plans: what they add, what they leave alone, and that it is shrunk with the rest."""

from collections import Counter
from dataclasses import replace
from random import Random

from scheduler.core.agents.sizes import MAIN_SIZES, SIDEKICK
from scheduler.core.model.reservation import Pieces, Reservation, reservation_fact
from scheduler.core.model.scaling import WishKind
from scheduler.core.model.task import ContainerSize
from scheduler.lab.chaos.book import Book
from scheduler.lab.chaos.draw import draw
from scheduler.lab.chaos.plan import (
    Account,
    Build,
    Follower,
    Job,
    Mishap,
    MishapKind,
    OldRevision,
    Plan,
    Tuning,
)
from scheduler.lab.chaos.reserver import last_of, order_of
from scheduler.lab.chaos.run import Verdict, play
from scheduler.lab.chaos.shrink import shrink
from scheduler.lab.chaos.themes import OF_THEMES
from scheduler.lab.chaos.themes_of_accounts import a_lost_hour, busy_account, slow_boots
from scheduler.lab.clock import START_MS
from scheduler.ports.store import Written

PLANS = [draw(seed) for seed in range(1, 201)]


def test_every_theme_is_drawn() -> None:
    """Two hundred seeds have each of them, and most seeds have none."""
    drawn = Counter[str]()
    for plan in PLANS:
        parts = {"builds": plan.builds, "revisions": plan.revisions, "followers": plan.followers}
        drawn.update(name for name, part in parts.items() if part)
        drawn.update({"exclusive" for each in plan.jobs if each.exclusive})
        drawn.update({"late guests" for each in plan.mishaps if each.there})
        drawn.update({"floors"} if plan.wishes_end else ())
        drawn.update({"slow boots"} if plan.account.launch_ms[1] >= 200_000 else ())
        drawn.update({"busy account"} if plan.account.foreign_acts_per_s else ())
        drawn.update({"many instances"} if plan.account.max_size >= 20 else ())
        drawn.update({"lost hour"} if plan.quiet_s > 3_600 else ())
        drawn.update(set(map(str, OF_THEMES & {each.kind for each in plan.mishaps})))
    named = {"builds", "revisions", "followers", "exclusive", "late guests", "floors"}
    named |= {"slow boots", "busy account", "many instances", "lost hour"}
    assert named | set(map(str, OF_THEMES)) <= drawn.keys()
    assert max(drawn.values()) < len(PLANS) / 2


def test_followers_and_old_revisions_name_jobs_that_are_there() -> None:
    """By their number."""
    for plan in PLANS:
        numbers = {each.job for each in plan.followers} | {each.job for each in plan.revisions} - {None}
        assert numbers <= set(range(len(plan.jobs)))


def test_the_agents_of_a_build_are_of_its_results() -> None:
    """So that each uses a part of what was reserved."""
    for plan in PLANS:
        results = {each.key: each.results for each in plan.builds}
        assert all(each.result < results[each.build] for each in plan.jobs if each.build)


def test_a_build_asks_for_as_many_pieces_as_it_has_results() -> None:
    """For tasks, or for the same in total; without results it releases."""
    build = Build(
        at_s=5, tenant="t", key="B", size=ContainerSize.SMALL, results=3, expiry_s=60, again_s=(20,)
    )
    total = (MAIN_SIZES[ContainerSize.SMALL] + SIDEKICK).times(3)
    assert [each.count for each in order_of(build).tasks] == [3]
    assert order_of(replace(build, total=True)).total == total
    assert order_of(replace(build, results=0)).is_zero
    assert last_of(build) == 25


def test_what_is_reserved_is_not_over() -> None:
    """A book is closed when its reservations are gone too."""
    book, ask = Book(epoch="e"), MAIN_SIZES[ContainerSize.SMALL]
    reservation = Reservation(
        tenant="t",
        build_key="B",
        result_ids=("B-1",),
        pieces=(Pieces(ask=ask, count=1),),
        at_ms=1,
        expires_ms=2,
    )
    fact = reservation_fact(reservation)
    book.note([[fact]], [Written(first_revision=1)], START_MS)
    assert not book.all_is_over()
    book.note([[replace(fact, value="")]], [Written(first_revision=1)], START_MS)
    assert book.all_is_over()


def small_plan() -> Plan:
    """One job that is followed, of a configuration of which there are old revisions, and one build."""
    account = Account(
        instance_types=("m5.xlarge",),
        launch_source="launch_template",
        min_size=1,
        max_size=2,
        desired=1,
        launch_ms=(1_000, 1_000),
        agent_registration_ms=(1_000, 1_000),
    )
    job = Job(at_s=30, tenant="bamboo", priority=0, cpu=256, memory_mib=512, image=1, run_s=20)
    agent = replace(job, at_s=40, size=ContainerSize.SMALL, build="B", extras=1)
    return Plan(
        seed=1,
        quiet_s=120,
        account=account,
        tuning=Tuning(),
        jobs=(job, agent),
        mishaps=(),
        builds=(Build(at_s=20, tenant="bamboo", key="B", size=ContainerSize.SMALL, results=2, expiry_s=120),),
        revisions=(OldRevision(age_days=40, known=True), OldRevision(age_days=5, job=0, known=True)),
        followers=(Follower(job=0, at_s=30, breaks_after=1),),
    )


def test_all_themes_are_played() -> None:
    """What nobody uses is deregistered, what is there is not registered again, logs are read to their end."""
    verdict = play(small_plan(), telling=True)
    story = "\n".join(verdict.story)
    assert verdict.good, verdict.message
    assert "DeregisterTaskDefinition" in story
    assert story.count("service  RegisterTaskDefinition") == 1
    assert "reserves Reservation" in story
    assert "to their end" in story


def shrinking_plan() -> Plan:
    """Two idle instances, of which one need not stay."""
    plan = small_plan()
    account = replace(plan.account, desired=2)
    tuning = Tuning(idle_timeout_s=10)
    return replace(plan, account=account, tuning=tuning, jobs=(), builds=(), revisions=(), followers=())


def test_a_late_guest_comes_onto_the_very_instance_that_is_to_go() -> None:
    """Just before its drain is sent, so that the last look finds somebody there."""
    guest = Mishap(at_s=1, kind=MishapKind.FOREIGN_TASK, for_s=20, when="DRAINING", there=True)
    verdict = play(replace(shrinking_plan(), mishaps=(guest,)), telling=True)
    story = "\n".join(verdict.story)
    assert verdict.good, verdict.message
    assert "somebody got a task onto it" in story


def test_a_wish_that_nobody_takes_back_ends_by_itself() -> None:
    """What has kept the group large is over then, and it comes down."""
    floor = Mishap(at_s=1, kind=MishapKind.WISH, pick=list(WishKind).index(WishKind.FLOOR) + 3, for_s=400)
    verdict = play(replace(shrinking_plan(), mishaps=(floor,), wishes_end=True), telling=True)
    assert verdict.good, verdict.message
    assert verdict.virtual_s > 400
    assert "WISHED CLEAR" not in "\n".join(verdict.story)


def test_of_members_that_boot_slowly_some_are_given_up_and_others_join() -> None:
    """Minutes after they would have been given up as well, had others not been a moment ago."""
    plan = slow_boots(Random(5), replace(shrinking_plan(), seed=2))
    kills = tuple(Mishap(at_s=at_s, kind=MishapKind.TERMINATION) for at_s in (5, 105))
    account = replace(plan.account, min_size=2)
    verdict = play(replace(plan, quiet_s=800, account=account, mishaps=kills), telling=True)
    story = "\n".join(verdict.story)
    assert verdict.good, verdict.message
    assert plan.account.launch_ms == (10_000, 750_000)
    assert "TERMINATE NEVER_JOINED" in story
    assert story.count("ContainerInstanceRegistered") == 2


def test_an_hour_of_work_is_lost_with_the_store() -> None:
    """The copy is of the beginning, and what comes after it is not in it."""
    plan = a_lost_hour(Random(1), replace(shrinking_plan(), jobs=small_plan().jobs[:1]))
    verdict = play(plan, telling=True)
    lines = [line for line in verdict.story if "its store is again as it was" in line]
    assert verdict.good, verdict.message
    assert plan.quiet_s > 3_600
    assert len(lines) == 1


def test_others_take_what_starts_need() -> None:
    """The service waits until there is something left for it."""
    plan = busy_account(Random(1), replace(shrinking_plan(), jobs=small_plan().jobs[:1]))
    verdict = play(plan)
    assert verdict.good, verdict.message
    assert {kind for kind, _ in verdict.coverage} == {MishapKind.THROTTLE}


def test_themes_are_shrunk() -> None:
    """What does not matter goes, followers and old revisions before the jobs that they name."""
    plan = small_plan()
    least = shrink(
        plan, "some", play_one=lambda each: Verdict(seed=1, invariant="some" if each.builds else "")
    )
    assert (least.jobs, least.mishaps, least.revisions, least.followers) == ((), (), (), ())
    assert len(least.builds) == 1


def test_kinds_of_themes_are_drawn_nowhere_else() -> None:
    """A plan has them with its theme, or because it aims at them."""
    aimed = {each.seed for each in PLANS if any(mishap.at_s == 1 and mishap.when for mishap in each.mishaps)}
    plain = (each for each in PLANS if not each.revisions and each.seed not in aimed)
    assert all(mishap.kind is not MishapKind.REVISION_GONE for each in plain for mishap in each.mishaps)
