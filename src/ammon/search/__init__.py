"""Query → hits: candidates from both legs, fused, then any steps. Knows the ports; refuses to know how models run.

`search` and `similar` are the two ways in; `ammon.search.steps` holds what can be done with hits afterwards.
"""

from ammon.search.likeness import similar
from ammon.search.retrieve import search

__all__ = ["search", "similar"]
