"""A document → passages sized in the model's own tokens, each knowing where it stands.

Knows nothing of files, stores or search.
"""

from ammon.split.splitting import splitter

__all__ = ["splitter"]
