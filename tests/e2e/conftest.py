# SPDX-License-Identifier: GPL-2.0-only
"""Fixtures of the tests on real Xen.

    def test_x(start):
        host = start(guests=[GuestSpec("g1")])       # dom0 and g1 already serve
        host = start(guests=[...], fresh=True)       # booted from power-on for this test
    pair = start_pair(a=[GuestSpec("g1")])       # two hosts (lab/pair.py)

An EnvironmentFailure (image missing, QEMU does not start) shows as an error of the test, a
wrong answer of the host as a failure.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from lab.errors import EnvironmentFailure
from lab.host import Host
from lab.pair import Pair
from lab.spec import GuestSpec, HostSpec


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed and report.when == "call":
        item.stash[FAILED] = True
        if call.excinfo and call.excinfo.errisinstance(EnvironmentFailure):
            report.when = "setup"  # pytest counts a failed set-up as an error


FAILED = pytest.StashKey[bool]()


def run_name(request: pytest.FixtureRequest) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", request.node.name).strip("-")


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Callable[..., Host]]:
    """Starts hosts for one test and ends them after it."""
    hosts: list[Host] = []

    def factory(guests: list[GuestSpec] | None = None, fresh: bool = False,
                **spec: Any) -> Host:
        name = run_name(request)
        if hosts:
            name += f"-{len(hosts)}"
        whole = HostSpec(guests=tuple(guests or ()), **spec)
        host = Host(whole, name) if fresh else Host.from_snapshot(whole, name)
        hosts.append(host)
        if fresh:
            host.wait_up()
        return host

    yield factory
    for host in hosts:
        if request.node.stash.get(FAILED, False):
            print(host.report(), file=sys.stderr)
        host.close()


@pytest.fixture
def start_pair(request: pytest.FixtureRequest) -> Iterator[Callable[..., Pair]]:
    """Starts two joined hosts for one test and ends them after it."""
    pairs: list[Pair] = []

    def factory(a: Sequence[GuestSpec] = (), b: Sequence[GuestSpec] = (), fresh: bool = False,
                **spec: Any) -> Pair:
        specs = HostSpec(guests=tuple(a), **spec), HostSpec(guests=tuple(b), **spec)
        name = run_name(request)
        pair = Pair(*specs, name) if fresh else Pair.from_snapshot(*specs, name)
        pairs.append(pair)
        if fresh:
            pair.wait_up()
        return pair

    yield factory
    for pair in pairs:
        if request.node.stash.get(FAILED, False):
            print(pair.report(), file=sys.stderr)
        pair.close()
