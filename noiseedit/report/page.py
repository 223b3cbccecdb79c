"""One self-contained HTML page: tables and pictures of one sweep, or of several compared."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Result = Mapping[str, Any]

CSS = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:1180px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #ddd}
table{border-collapse:collapse;margin:.8rem 0;font-size:.86rem;font-variant-numeric:tabular-nums}
td,th{padding:.25rem .6rem;border-bottom:1px solid #e4e4e4;text-align:right;white-space:nowrap}
td:first-child,th:first-child{text-align:left}
div.wide{overflow-x:auto}img{max-width:100%;height:auto}p.note{color:#555}
.slider{position:relative;width:384px;max-width:100%;line-height:0}
.slider img{width:100%;image-rendering:pixelated}
.slider img+img{position:absolute;inset:0;clip-path:inset(0 0 0 var(--x,50%))}
.slider input{width:100%;margin:.6rem 0}
"""

SLIDER = (
    '<div class="slider"><img alt="{left}" src="{a}"><img alt="{right}" src="{b}">'
    '<input type="range" min="0" max="100" value="50" aria-label="{left} against {right}" '
    "oninput=\"this.parentNode.style.setProperty('--x',this.value+'%')\"></div>"
    '<p class="note">left of the handle: {left}; right: {right}</p>'
)


def page(title: str, body: Sequence[str]) -> str:
    """Return a whole HTML document that needs no other file."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{html.escape(title)}</title><style>{CSS}</style></head><body>\n'
        f'<h1>{html.escape(title)}</h1>\n' + '\n'.join(body) + '\n</body></html>\n'
    )


def heading(text: str) -> str:
    """Return a section heading."""
    return f'<h2>{html.escape(text)}</h2>'


def note(text: str) -> str:
    """Return a paragraph in grey."""
    return f'<p class="note">{html.escape(text)}</p>'


def table(markdown: str) -> str:
    """Return a Markdown table as HTML."""
    lines = [line.strip('| ').split(' | ') for line in markdown.strip().splitlines()]
    header, _, *rows = lines
    top = ''.join(f'<th>{html.escape(cell)}</th>' for cell in header)
    rest = ''.join(
        '<tr>' + ''.join(f'<td>{html.escape(cell)}</td>' for cell in row) + '</tr>' for row in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{rest}</table></div>'


def picture(path: str | Path, text: str) -> str:
    """Return an image with its bytes inside the page."""
    return f'<p><img alt="{html.escape(text)}" src="{_data(path)}"></p>'


def slider(left: str | Path, right: str | Path, names: tuple[str, str]) -> str:
    """Return two pictures of one size under a handle that uncovers the second."""
    left_name, right_name = (html.escape(name) for name in names)
    return SLIDER.format(a=_data(left), b=_data(right), left=left_name, right=right_name)


def _data(path: str | Path) -> str:
    return 'data:image/png;base64,' + base64.b64encode(Path(path).read_bytes()).decode()
