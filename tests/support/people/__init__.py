"""People on a loopback platform, and what they see there: the same words for every platform.

`page`, `slack` and `discord` each have their own. The bot may be in the process of the test or in one of its own, and
it may be dead.
"""
