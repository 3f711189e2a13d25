"""Worlds as fixtures: every claim about the cloud port runs in each world that can show it."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from tests.contract.cloud_worlds import (
    READ_ATTEMPTS,
    HttpFrontOfMany,
    SimulatedWorld,
    SimulatedWorldMaker,
    World,
    WorldMaker,
    in_process_clients,
    make_simulated_world,
)
from tests.contract.moto_worlds import DEVIATIONS, MotoAccount, moto_account


@pytest.fixture(scope="session")
def http_front() -> Iterator[HttpFrontOfMany]:
    """The simulated account's HTTP front, and boto3's clients of it."""
    with ExitStack() as stack:
        yield HttpFrontOfMany(stack)


@pytest.fixture(scope="session")
def moto() -> Iterator[MotoAccount]:
    """moto's server, once: it takes seconds to load."""
    with moto_account() as account:
        yield account


@pytest.fixture
def over_http(http_front: HttpFrontOfMany) -> SimulatedWorldMaker:
    """Makes worlds over HTTP."""
    return partial(make_simulated_world, http_front.clients_of, READ_ATTEMPTS)


@pytest.fixture
def in_process() -> SimulatedWorldMaker:
    """Makes worlds with in-process clients, whose every call is tried once."""
    return partial(make_simulated_world, in_process_clients)


@pytest.fixture(params=["in_process", "over_http"])
def make_simulated(request: pytest.FixtureRequest) -> SimulatedWorldMaker:
    """Makes worlds over the parameter's front of the simulated account."""
    maker: SimulatedWorldMaker = request.getfixturevalue(request.param)
    return maker


@pytest.fixture
def simulated(make_simulated: SimulatedWorldMaker) -> SimulatedWorld:
    """Two m4.4xlarge that have been up for a while, with clock, journal and faults."""
    return make_simulated()


@pytest.fixture(params=["in_process", "over_http", "moto"])
def make_world(request: pytest.FixtureRequest) -> WorldMaker:
    """Makes worlds of the parameter's kind; not on moto where that is known to answer otherwise than AWS."""
    if request.param == "moto":
        return _on_moto(request)
    maker: WorldMaker = request.getfixturevalue(request.param)
    return maker


def _on_moto(request: pytest.FixtureRequest) -> WorldMaker:
    claim = request.node.originalname
    if claim in DEVIATIONS:
        pytest.skip(f"moto: {DEVIATIONS[claim]}")
    account: MotoAccount = request.getfixturevalue("moto")
    return account.world


@pytest.fixture
def world(make_world: WorldMaker) -> World:
    """Two m4.4xlarge that have been up for a while."""
    return make_world()
