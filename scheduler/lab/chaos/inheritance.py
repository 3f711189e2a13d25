"""Inheritance: the revisions that are in the family when a plan begins, and what the store knows of them."""

from typing import Any

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.core.agents import expand
from scheduler.core.agents.definition import definition_key
from scheduler.core.model.facts import definition_fact, family_scanned_fact, revision_fact
from scheduler.core.model.mark import Mark
from scheduler.core.model.records import FactRecorded
from scheduler.core.model.revision import DAY_MS, Owner, Revision
from scheduler.lab.chaos.plan import OldRevision, RevisionOwner
from scheduler.lab.chaos.requests import request_of
from scheduler.lab.chaos.stage import CLUSTER, FAMILY, SERVICE_ID, Stage, agents_of
from scheduler.lab.clock import START_MS
from scheduler.lab.stand_ins import in_process_clients

_SERVICES = {RevisionOwner.US: SERVICE_ID, RevisionOwner.ANOTHER_SERVICE: "another"}


def inherit(stage: Stage) -> tuple[FactRecorded, ...]:
    """Registers what earlier months have left in the account; returns the facts that the store has of it."""
    facts: list[FactRecorded] = []
    for each in sorted(stage.plan.revisions, key=lambda each: -each.age_days):
        known = _register(stage, each)
        if each.known:
            facts += [revision_fact(known), definition_fact(known.definition_key, known.arn)]
    return (*facts, family_scanned_fact()) if facts else ()


def _register(stage: Stage, old: OldRevision) -> Revision:
    definition = _definition(stage, old)
    key = definition_key(definition)
    tags: dict[str, str] = {}
    if old.owner in _SERVICES:
        mark = Mark(service_id=_SERVICES[old.owner], store_epoch="earlier", since_ms=0)
        tags = Owner(mark=mark, cluster=CLUSTER).tags(key)
    cloud = AwsCloud(in_process_clients(stage.account, stage.account.settings.region), cluster=CLUSTER)
    stage.wire.befall(lambda: cloud.register_task_definition(definition, tags))
    arn, truth = list(stage.wire.truth.revisions.items())[-1]
    day = START_MS // DAY_MS - old.age_days
    # Nobody knows the hour of the last use: it may have been the day's last.
    truth.used_ms = min(START_MS, (day + 1) * DAY_MS - 1)
    return Revision(arn=arn, definition_key=key, used_day=day)


def _definition(stage: Stage, old: OldRevision) -> dict[str, Any]:
    """That of a job's task, or one of which there is no job."""
    if old.job is not None:
        return expand(
            request_of(stage.plan, old.job, stage.plan.jobs[old.job]).spec, agents_of(stage.plan)
        ).definition
    container = {"name": "agent", "image": f"agent:old-{old.age_days}", "memory": 64}
    return {"family": FAMILY, "containerDefinitions": [container]}
