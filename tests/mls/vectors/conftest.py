"""Fixtures of the vector tests, and the count of what they checked."""

from collections.abc import Generator

import pytest

from tests.mls.vectors.cases import Case, cases_of
from tests.mls.vectors.tally import PROPERTY, Tally


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    file, index = request.param
    found: Case = cases_of(file)[index]
    return found


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write into the report of a vector test what it looked at.

    As a string, so that it stays the same on its way from a worker process.
    """
    report = yield
    values = getattr(item, "funcargs", {})
    if call.when == "call" and {"case", "tally"} <= values.keys():
        looked_at, counted = values["case"], values["tally"]
        fact = f"{looked_at.file} {looked_at.index} {counted.checks}"
        report.user_properties.append((PROPERTY, fact))
    return report
