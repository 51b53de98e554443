"""How the whole suite runs: generated cases are the same in every run.

A run that looks for new ones: ``make test ARGS="--hypothesis-profile=explore -k ..."``.
"""

from hypothesis import HealthCheck, settings

# How long a case takes says something about the machine, and nothing about the code.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", patient, derandomize=True, database=None)
settings.register_profile("explore", patient, max_examples=2_000, print_blob=True)
settings.load_profile("repeatable")
