"""A report as one HTML document that needs nothing else: for a mail, or a file."""

from __future__ import annotations

from functools import cache

import jinja2

from platform_meter.web.report.content import Report, plain

_DOCUMENT = """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ report.title | plain }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2430; background: #fff; max-width: 46rem; margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 1.8rem; border-bottom: 1px solid #d5dae2; }
table { display: block; overflow-x: auto; border-collapse: collapse; font-size: .93em; } li { margin: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #e6e9ee; }
</style></head><body>
<h1>{{ report.title | plain }}</h1>
<p>{{ report.lead | plain }}</p>
{% for section in report.sections %}
<h2>{{ section.title | plain }}</h2>
{% for block in section.blocks %}
{% if block.items is defined %}
<ul>{% for item in block.items %}<li>{{ item | plain }}</li>{% endfor %}</ul>
{% elif block.head is defined %}
<table><thead><tr>{% for cell in block.head %}<th>{{ cell | plain }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in block.rows %}<tr>{% for cell in row %}<td>{{ cell | plain }}</td>{% endfor %}</tr>{% endfor %}</tbody></table>
{% else %}
<p>{{ block.text | plain }}</p>
{% endif %}
{% endfor %}
{% endfor %}
{% if report.href %}
<p><a href="{{ report.href }}">{{ report.href }}</a></p>
{% endif %}
</body></html>
"""


@cache
def _document() -> jinja2.Template:
    env = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    env.filters["plain"] = plain
    return env.from_string(_DOCUMENT)


def html(report: Report) -> str:
    """The whole report."""
    return _document().render(report=report)
