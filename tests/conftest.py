"""How the whole suite runs: generated cases are the same in every run.

A run that looks for new ones: ``make test ARGS="--hypothesis-profile=explore -k ..."``.
"""

import pytest
from hypothesis import HealthCheck, settings

_LONG = ("tests/chaos/test_chaos.py", "tests/sweep/", "tests/end_to_end/test_sigkills.py", "test_many")

# How long a case takes says something about the machine, and nothing about the code.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", patient, derandomize=True, database=None)
settings.register_profile("explore", patient, max_examples=2_000, print_blob=True)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let every worker begin with some of the long tests: else one is left alone with them in the end.

    To begin with pytest-xdist gives each an equal stretch of the list.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        longs = [item for item in items if any(part in item.nodeid for part in _LONG)]
        others = [item for item in items if item not in set(longs)]
        items[:] = [item for at in range(workers) for item in (*longs[at::workers], *others[at::workers])]
