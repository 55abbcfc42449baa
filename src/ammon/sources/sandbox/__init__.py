"""Where files are read that could harm their reader: processes of their own, with limits on all they may use."""
