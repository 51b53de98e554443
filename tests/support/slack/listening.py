"""The port Slack listens on."""

from tests.support.listening import Listening

__all__ = ["Listening"]
