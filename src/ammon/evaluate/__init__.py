"""How good the search is: labelled sets, metrics, reports. Knows searches as functions; refuses to know stores."""

from ammon.evaluate.audit import audit
from ammon.evaluate.datasets import Dataset, Passage, read_dataset
from ammon.evaluate.report import Report, evaluate

__all__ = ["Dataset", "Passage", "Report", "audit", "evaluate", "read_dataset"]
