"""Slack's time, which is every stand-in's."""

from tests.support.clock import Clock, Timer

__all__ = ["Clock", "Timer"]
