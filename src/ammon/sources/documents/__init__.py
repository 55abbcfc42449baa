"""Loaders of documents that are no plain text. Each takes bytes, and runs only in the sandbox.

A loader is ``load(data, kind, reading) -> Loaded``; what a file holds within it (attachments, members of an archive)
goes to `Reading.member`.
"""
