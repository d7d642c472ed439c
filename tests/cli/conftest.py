"""Every test of commands can run them."""

from running import command

__all__ = ["command"]
