"""Where bytes come from and how they become text: walk a folder, open safely, tell what it is, load it.

Knows nothing of chunks, models or stores. A new format is one loader file and its lines in `kinds`.
"""

from ammon.sources.codes import SKIP_CODES
from ammon.sources.decoding import decode
from ammon.sources.kinds import KINDS, Kind
from ammon.sources.loading import load
from ammon.sources.names import path_of, uri_of
from ammon.sources.opening import MAX_BYTES, read
from ammon.sources.walking import walk

__all__ = ["KINDS", "MAX_BYTES", "SKIP_CODES", "Kind", "decode", "load", "path_of", "read", "uri_of", "walk"]
