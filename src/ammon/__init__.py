"""Ammon: long-term memory and similarity search for people and language models."""
from ammon._version import __version__

__all__ = ["__version__"]
