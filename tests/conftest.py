"""How the whole suite runs: generated cases are the same in every run.

A run that looks for new ones: ``make test ARGS="--hypothesis-profile=explore -k ..."``.
"""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("explore", print_blob=True)
settings.load_profile("repeatable")
