"""The HTML report: a folder of pages and data scripts that opens from disk. Reads the lake and nothing else."""

from pipeline.report.write import write_report

__all__ = ["write_report"]
