"""What the bot is: messages, turns, replies and memory. No chat SDK, no SQL."""

__version__ = "0.1.0"
