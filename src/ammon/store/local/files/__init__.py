"""The bytes under the catalog: connection, pages, log, witness, lock, and what a disk says."""
