"""A page without network, scripts or fonts of its own."""

import re
from html import escape

STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --soft: #555; --page: #fff; --card: #f5f5f3; --line: #d0d0d0; --mark: #00568a }
@media (prefers-color-scheme: dark) {
  :root { --text: #ececec; --soft: #b4b4b4; --page: #161616; --card: #222; --line: #484848; --mark: #7cc4f5 }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body { margin: 0 auto; max-width: 66rem; padding: 1rem; color: var(--text); background: var(--page);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; overflow-wrap: break-word }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0 } h2 { font-size: 1.3rem; line-height: 1.25; margin: 2.2rem 0 .6rem }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem }
a { color: var(--mark) } p { margin: .5rem 0 } small, .soft { color: var(--soft) }
.answer { border-left: .3rem solid var(--mark); background: var(--card); padding: .6rem .9rem; margin: .6rem 0 }
.answer p { margin: .25rem 0 }
.missing { border: 1px dashed var(--soft); padding: .5rem .9rem; margin: .8rem 0; color: var(--soft) }
nav ol { padding-left: 1.4rem } nav li { margin: .35rem 0 }
.scroll { overflow-x: auto; max-width: 100% }
figure { margin: 1rem .8rem 1rem 0; display: inline-block; max-width: 100%; vertical-align: top }
figure .scroll { background: #fff; border: 1px solid var(--line) }
figure svg { display: block; height: auto }
figcaption { font-size: .85rem; color: var(--soft); margin: .2rem 0; width: 0; min-width: 100% }
table { border-collapse: collapse; font-size: .9rem; margin: .5rem 0; font-variant-numeric: tabular-nums }
caption { text-align: left; font-weight: 600; padding: .2rem 0 }
caption span { display: block; max-width: calc(100vw - 2.2rem) }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
th { border-bottom: 2px solid var(--soft) } td.n, th.n { text-align: right; white-space: nowrap }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0 } dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere; min-width: 0 }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9em; overflow-wrap: anywhere }
summary { cursor: pointer; color: var(--mark) } details { margin: .6rem 0 }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr } dd { margin: 0 0 .4rem } }
@media print {
  :root { color-scheme: light; --text: #000; --soft: #333; --page: #fff; --card: #f3f3f3; --line: #bbb; --mark: #003a5c }
  body { max-width: none; padding: 0; font-size: 10pt }
  .scroll { overflow: visible } figure, tr, .answer { break-inside: avoid } h2, h3, caption { break-after: avoid }
  figure { max-width: 49%; margin: .4rem 0 } figure svg { min-width: 0 !important; max-height: 235mm }
  table { font-size: 8pt } th, td { padding: .1rem .3rem }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  details::details-content { content-visibility: visible; block-size: auto } summary { list-style: none }
}
"""


def paragraph(text, kind=None):
    return f"<p{f' class={kind}' if kind else ''}>{escape(text)}</p>\n"


def answer(sentences):
    """The answer of a section, before anything else."""
    return f'<div class="answer">\n{"".join(paragraph(s) for s in sentences)}</div>\n'


def missing(text):
    return f'<p class="missing">{escape(text)}</p>\n'


def definitions(pairs):
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>\n" for name, value in pairs)
    return f"<dl>\n{rows}</dl>\n"


def table(title, header, rows, numeric=()):
    """numeric: places of the columns that are set to the right."""

    def line(cells, tag):
        kinds = [' class="n"' if place in numeric else "" for place in range(len(cells))]
        return "<tr>" + "".join(f"<{tag}{kind}>{escape(str(c))}</{tag}>" for c, kind in zip(cells, kinds)) + "</tr>\n"

    body = "".join(line(row, "td") for row in rows)
    return (
        f'<div class="scroll"><table><caption><span>{escape(title)}</span></caption>\n<thead>{line(header, "th")}</thead>\n'
        f"<tbody>\n{body}</tbody></table></div>\n"
    )


def details(title, inside):
    return f"<details><summary>{escape(title)}</summary>\n{inside}</details>\n"


def inline_svg(svg, name, title):
    """The drawing as part of the page: identifiers made unique by the figure's name, readable by screen readers as its title.

    On a narrow screen it keeps a width at which its text can be read, and scrolls.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="image[0-9a-f]+"', "", svg)  # matplotlib gives equal images one identifier, and nothing refers to it
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-")
    width = float(re.search(r'width="([\d.]+)pt"', svg).group(1)) * 96 / 72
    svg = re.sub(
        r'(<svg[^>]*?) width="[\d.]+pt"',
        rf'\1 style="width:{width:.0f}px;max-width:100%;min-width:{0.84 * width:.0f}px"',
        svg,
        count=1,
    )
    svg = re.sub(r'(<svg[^>]*?) height="[\d.]+pt"', r"\1", svg, count=1)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(title, quote=True)}"', 1)


def figure(svg, name, title, folder, lacks=""):
    """lacks: what the drawing could not show, in words."""
    files = ", ".join(f'<a href="{folder}/{name}.{kind}">{kind.upper()}</a>' for kind in ("csv", "svg", "pdf", "png"))
    return (
        f'<figure id="{name}"><div class="scroll" tabindex="0">{inline_svg(svg, name, title)}</div>\n'
        f"<figcaption>{escape(name)}: {files}{escape(lacks)}</figcaption></figure>\n"
    )


def page(title, sections, head):
    """sections: [(identifier, question, [answer sentence, …], body)]."""
    contents = "".join(
        f'<li><a href="#{name}">{escape(question)}</a> {escape(answers[0])}</li>\n' for name, question, answers, _ in sections
    )
    body = "".join(
        f'<section id="{name}">\n<h2>{number}. {escape(question)}</h2>\n{answer(answers)}{inside}</section>\n'
        for number, (name, question, answers, inside) in enumerate(sections, 1)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1>\n{head}</header>\n"
        f"<nav>\n<ol>\n{contents}</ol>\n</nav>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
