"""Lay a report out as one HTML page that asks nobody for anything: no script, no link, no font."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #24292f; --faint: #5c6570; --page: #ffffff; --line: #d8dee4;
  --good: #116329; --bad: #a40e26; --badpage: #fff0ee; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --faint: #9aa4ae; --page: #14171c; --line: #373e47;
    --good: #5fce7b; --bad: #ff8f85; --badpage: #33191a; }
  img { filter: invert(0.93) hue-rotate(180deg); }
}
@media print {
  :root { color-scheme: light; --ink: #000; --faint: #444; --page: #fff; --line: #bbb;
    --good: #116329; --bad: #a40e26; --badpage: #fff; }
  img { filter: none; }
  figure, tr, dl > div { break-inside: avoid; }
  h2 { break-after: avoid; }
  main { padding: 0; }
}
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.6rem; border-bottom: 1px solid var(--line); }
p { margin: 0.4rem 0; max-width: 46rem; }
.faint, figcaption, footer { color: var(--faint); font-size: 0.87rem; }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.doubts { border-left: 4px solid var(--bad); background: var(--badpage); padding: 0.6rem 1rem;
  margin: 1rem 0; }
.doubts ul { margin: 0.3rem 0; padding-left: 1.2rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 0 1.5rem; margin: 0; }
dl > div { display: flex; gap: 0.8rem; justify-content: space-between; border-bottom: 1px solid var(--line);
  padding: 0.15rem 0; }
dt { color: var(--faint); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
pre { overflow-x: auto; border: 1px solid var(--line); padding: 0.6rem 0.8rem; font-size: 0.85rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.87rem; width: 100%; }
th, td { text-align: right; padding: 0.2rem 0.5rem; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--faint); font-weight: 600; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
figure { margin: 0.8rem 0; }
img { max-width: 100%; height: auto; }
footer { margin-top: 2.5rem; }
"""
# A browser that heeds this neither loads nor runs anything, whatever a name in the report is.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title: str, sections: Iterable[str], footer: str) -> str:
    """Return the page.

    Args:
        title: as text.
        sections: as HTML, made by the functions below.
        footer: as text.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{''.join(sections)}"
        f"<footer>{escape(footer)}</footer>\n</main>\n</body>\n</html>\n"
    )


def section(heading: str, *parts: str) -> str:
    """Return a heading with what follows it."""
    return f"<section>\n<h2>{escape(heading)}</h2>\n{''.join(parts)}</section>\n"


def paragraph(text: str, kind: str = "") -> str:
    """Return a text as a paragraph; ``kind`` is a class of the style."""
    return f'<p class="{kind}">{escape(text)}</p>\n' if kind else f"<p>{escape(text)}</p>\n"


def doubts(heading: str, sentences: Sequence[str]) -> str:
    """Return sentences that nobody should overlook."""
    items = "".join(f"<li>{escape(sentence)}</li>\n" for sentence in sentences)
    return f'<div class="doubts">\n<p class="bad">{escape(heading)}</p>\n<ul>\n{items}</ul>\n</div>\n'


def pairs(entries: Iterable[tuple[str, str]]) -> str:
    """Return names with their values."""
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>\n" for name, value in entries)
    return f"<dl>\n{rows}</dl>\n"


def preformatted(text: str) -> str:
    """Return a text whose lines stay as they are."""
    return f"<pre>{escape(text)}</pre>\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], kinds: Iterable[str]) -> str:
    """Return rows of texts; the last cell of each is in the class that ``kinds`` gives it."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + f'<td class="{kind}">{escape(last)}</td></tr>\n'
        for (*cells, last), kind in zip(rows, kinds, strict=True)
    )
    return (
        f'<div class="wide">\n<table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody>\n</table>\n</div>\n"
    )


def picture(png: bytes, description: str, width: int, caption: str) -> str:
    """Return a picture that lies in the page itself.

    Args:
        png: the file.
        description: for who does not see it.
        width: in pixels of the page.
        caption: what to look for.
    """
    data = base64.b64encode(png).decode()
    return (
        f'<figure>\n<img src="data:image/png;base64,{data}" alt="{escape(description)}" width="{width}">\n'
        f"<figcaption>{escape(caption)}</figcaption>\n</figure>\n"
    )
