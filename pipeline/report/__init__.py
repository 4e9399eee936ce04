"""The report: a folder of HTML pages that opens from disk, Markdown, or a PDF. Reads the lake and nothing else."""

from pipeline.report.findings import Checks
from pipeline.report.markdown import markdown
from pipeline.report.part import part_of
from pipeline.report.printed import printer, write_pdf
from pipeline.report.summary import read_summary
from pipeline.report.write import write_report

__all__ = ["Checks", "markdown", "part_of", "printer", "read_summary", "write_pdf", "write_report"]
