"""The examination: every check, each after those that it needs."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError

from scheduler.adapters.aws.cloud import AwsCloud
from scheduler.adapters.aws.region import RegionUnknown, locate_region
from scheduler.api.certificate_check import CertificateError
from scheduler.bootstrap import aws_clients, log_clients
from scheduler.cli.doctor import aws_checks
from scheduler.cli.doctor.aws_checks import Surroundings
from scheduler.cli.doctor.findings import Finding, Verdict, ok, problem
from scheduler.cli.doctor.local_checks import check_datadog, check_store
from scheduler.cli.doctor.permissions import check_permissions, probes
from scheduler.cli.serve import check_listener
from scheduler.cli.simulation import dummy_session
from scheduler.config import Settings, SettingsError, load_settings
from scheduler.core.model.group import InstanceGroup
from scheduler.ports.cloud import CloudError


def examine(environment: Mapping[str, str], simulated_aws: str | None) -> Iterator[Finding]:
    """Findings as they come. Nothing else can be looked at without settings, region and credentials."""
    try:
        settings = load_settings(environment)
        check_listener(settings)
    except (SettingsError, CertificateError) as error:
        yield problem(
            "settings", str(error).removeprefix("settings: "), "docs/configuration.md names them all"
        )
        return
    yield ok("settings", f"cluster {settings.cluster}, group {settings.group}, listens on {settings.listen}")
    yield check_store(Path(settings.store))
    yield check_datadog(settings.datadog)
    try:
        session = dummy_session() if simulated_aws else boto3.Session()
        region, source = _located(environment, session, settings, simulated_aws)
    except (RegionUnknown, BotoCoreError) as error:
        yield problem("region", str(error), "set AWS_REGION")
        return
    yield ok("region", f"{region}, from {source}")
    yield from _examine_aws(settings, _surroundings(settings, session, region, simulated_aws))


def _located(
    environment: Mapping[str, str], session: boto3.Session, settings: Settings, simulated_aws: str | None
) -> tuple[str, str]:
    if simulated_aws:
        return session.region_name, "the simulated AWS"
    return locate_region(environment, session, settings.cluster)


def _surroundings(
    settings: Settings, session: boto3.Session, region: str, simulated_aws: str | None
) -> Surroundings:
    clients = aws_clients(region, endpoint_url=simulated_aws, session=session)
    return Surroundings(
        settings=settings,
        clients=clients,
        logs=log_clients(region, endpoint_url=simulated_aws, session=session),
        cloud=AwsCloud(clients, cluster=settings.cluster, named_types=settings.instance_types),
    )


def _examine_aws(settings: Settings, around: Surroundings) -> Iterator[Finding]:
    credentials = aws_checks.check_credentials(around)
    yield credentials
    if credentials.verdict is Verdict.PROBLEM:
        return
    group = _group(around)
    members = group.members if isinstance(group, InstanceGroup) else {}
    member = next(iter(members), None)
    yield from check_permissions(probes(around.clients, around.logs, settings, member))
    yield aws_checks.check_cluster(around)
    yield aws_checks.check_group(around, group)
    if isinstance(group, InstanceGroup):
        yield aws_checks.check_pairing(around, group)
        yield from aws_checks.check_hazards(around)
        yield aws_checks.check_types(around, group)
    yield aws_checks.check_log_group(around)


def _group(around: Surroundings) -> InstanceGroup | CloudError:
    try:
        return around.cloud.group(around.settings.group)
    except CloudError as error:
        return error
