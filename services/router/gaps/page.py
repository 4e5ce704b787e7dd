"""The report as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from pathlib import Path

import jinja2

from services.router.gaps import chart, wording
from services.router.gaps.frame import HEIGHT, WIDTH
from services.router.gaps.report import Report

_TEMPLATES = Path(__file__).parent / "templates"


def render(report: Report) -> str:
    """The page; everything that comes from the network file is escaped."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    ranks = range(1, len(report.suggestions) + 1)
    charts = [chart.overview(report), *[chart.detail(report, rank) for rank in ranks]] if report.gaps else []
    return templates.get_template("gaps.html").render(
        report=report, charts=charts, words=wording, width=WIDTH, height=HEIGHT
    )
