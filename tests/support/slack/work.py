"""Waiting and tasks, as every stand-in does them."""

from tests.support.work import Bell, Tasks

__all__ = ["Bell", "Tasks"]
