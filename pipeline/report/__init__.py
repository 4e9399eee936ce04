"""The HTML report: a folder of pages and data scripts that opens from disk. Reads the lake and nothing else."""

from pipeline.report.findings import Checks
from pipeline.report.part import part_of
from pipeline.report.write import write_report

__all__ = ["Checks", "part_of", "write_report"]
