"""A report as one self-contained HTML page: nothing is loaded from elsewhere and no script runs."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from itertools import groupby
from pathlib import Path

from SegClassifyLib.atomic import write_text
from SegClassifyLib.errors import SegClassifyError

RESEARCH_ONLY = "For research use only. Not for diagnosis or treatment."

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Text:
    """A paragraph; empty lines part it into several."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows under a header. The first column names the row; columns of numbers are set to the right.

    Args:
        caption: what the table shows, above it.
        header: one cell a column.
        rows: as many cells each as the header has.
        emphasised: numbers of rows (0 is the first) that are set bold.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    emphasised: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(
                    f"a row of {self.caption!r} has {len(row)} cells, its header {len(self.header)}"
                )


@dataclass(frozen=True)
class Figure:
    """A picture. Figures that follow each other stand side by side where there is room.

    Args:
        png: the bytes of a PNG, or the path of one.
        caption: shown below.
        alt: what the picture says, for those who cannot see it; the caption where empty.
        wide: takes the whole width of the page.
        small: three stand side by side.
    """

    png: bytes | Path
    caption: str
    alt: str = ""
    wide: bool = False
    small: bool = False


@dataclass(frozen=True)
class Commands:
    """Lines to be copied into a terminal."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Notice:
    """A remark that must not be overlooked."""

    text: str


Block = Text | Table | Figure | Commands | Notice


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, in this order."""

    title: str
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Report:
    """A page.

    Args:
        title: the heading.
        summary: the answer, a sentence each.
        sections: the rest.
        provenance: names and values of what it was made from: versions, hashes, seed, time.
        notice: how it may be used; always shown.
    """

    title: str
    summary: Sequence[str] = ()
    sections: Sequence[Section] = ()
    provenance: Sequence[tuple[str, str]] = field(default=())
    notice: str = RESEARCH_ONLY


def write_report(report: Report, path: Path | str) -> Path:
    """Write the page in one go: a file already there is replaced only by a whole new one.

    Args:
        report: what to show.
        path: ends in ``.html``; its folder is made where it is missing.

    Returns:
        The path.

    Raises:
        SegClassifyError: a picture is missing or not a PNG, or the page cannot be written.
    """
    path = Path(path)
    page = render_report(report)
    try:
        write_text(path, page)
    except OSError as error:
        raise SegClassifyError(
            f"The report {path} cannot be written ({error.strerror or error}); "
            "check the disk's space and rights, or choose another place."
        ) from error
    return path


def render_report(report: Report) -> str:
    """The page's HTML; raises SegClassifyError where a picture is missing or not a PNG."""
    style = resources.files("SegClassifyLib.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    anchors = _anchors(section.title for section in report.sections)
    contents = "".join(
        f'<li><a href="#{anchor}">{escape(section.title)}</a></li>'
        for anchor, section in zip(anchors, report.sections, strict=True)
    )
    summary = "".join(f"<p>{escape(sentence)}</p>" for sentence in report.summary)
    body = [
        f"<header><h1>{escape(report.title)}</h1>",
        f'<p class="use" role="note">{escape(report.notice)}</p>',
        f'<div class="summary">{summary}</div>' if summary else "",
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav>' if len(anchors) > 2 else "",
        "</header><main>",
        *(_section(s, anchor) for s, anchor in zip(report.sections, anchors, strict=True)),
        "</main>",
        _provenance(report.provenance),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # what the page itself forbids, no text in it can bring back
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(report.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _section(section: Section, anchor: str) -> str:
    parts = [f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{escape(section.title)}</h2>']
    for is_figure, blocks in groupby(section.blocks, key=lambda block: isinstance(block, Figure)):
        html = "\n".join(_block(block) for block in blocks)
        parts.append(f'<div class="figures">\n{html}\n</div>' if is_figure else html)
    return "\n".join([*parts, "</section>"])


def _block(block: Block) -> str:
    match block:
        case Text(text):
            return "\n".join(f"<p>{escape(p.strip())}</p>" for p in re.split(r"\n\s*\n", text) if p.strip())
        case Table():
            return _table(block)
        case Figure():
            return _figure(block)
        case Commands(lines):
            return f"<pre><code>{escape(chr(10).join(lines))}</code></pre>"
        case Notice(text):
            return f'<p class="notice" role="note">{escape(text)}</p>'


def _table(table: Table) -> str:
    numeric = [
        c > 0 and bool(table.rows) and all(_is_number(r[c]) for r in table.rows)
        for c in range(len(table.header))
    ]
    css = [' class="number"' if n else "" for n in numeric]
    head = "".join(f'<th scope="col"{k}>{escape(c)}</th>' for c, k in zip(table.header, css, strict=True))
    rows = []
    for number, row in enumerate(table.rows):
        first = f'<th scope="row">{escape(row[0])}</th>' if row else ""
        rest = "".join(f"<td{k}>{escape(c)}</td>" for c, k in zip(row[1:], css[1:], strict=True))
        emphasis = ' class="emphasised"' if number in table.emphasised else ""
        rows.append(f"<tr{emphasis}>{first}{rest}</tr>")
    return (
        f'<div class="table"><table>\n<caption>{escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table></div>"
    )


def _is_number(cell: str) -> bool:
    """0.81, 81 %, 0.81 (0.70–0.90), −0.1 (−0.2 to +0.1)*, 9/10, −3, or a dash for none."""
    number = r"[\d\s.,%/()±–−+×-]+"
    return not cell.strip() or bool(
        re.fullmatch(rf"{number}(?:to {number})?(?:s|ms|mm|ml|mm²|MB|GB|\*)?", cell.strip())
    )


def _figure(figure: Figure) -> str:
    data = figure.png if isinstance(figure.png, bytes) else _read(figure.png)
    if not data.startswith(_PNG):
        name = "given in memory" if isinstance(figure.png, bytes) else str(figure.png)
        raise SegClassifyError(f"The picture {name} for the report is not a PNG file; save it as PNG.")
    source = base64.b64encode(data).decode("ascii")
    width = ' class="wide"' if figure.wide else ' class="small"' if figure.small else ""
    # a wide picture keeps a size that can be read where the page is narrow: its frame scrolls, not its caption
    return (
        f'<figure{width}><div class="picture"><img src="data:image/png;base64,{source}" '
        f'alt="{escape(figure.alt or figure.caption)}"></div>'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SegClassifyError(
            f"The picture {path} for the report cannot be read ({error.strerror or error}); make it anew."
        ) from error


def _provenance(provenance: Sequence[tuple[str, str]]) -> str:
    if not provenance:
        return ""
    rows = "\n".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in provenance)
    return f'<footer aria-labelledby="provenance">\n<h2 id="provenance">Made from</h2>\n<dl>\n{rows}\n</dl>\n</footer>'


def _anchors(titles: Iterable[str]) -> list[str]:
    """One id for each title, all different."""
    anchors: list[str] = []
    for title in titles:
        base = "s-" + (re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "part")
        anchor, number = base, 2
        while anchor in anchors:
            anchor, number = f"{base}-{number}", number + 1
        anchors.append(anchor)
    return anchors
