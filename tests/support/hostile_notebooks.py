"""Malicious notebooks that try to run scripts in a teacher's browser, and how that would show."""

from __future__ import annotations

import base64
from typing import Any

from nbformat import NotebookNode

CANARY = "http://127.0.0.1:9/canary"
"""No request may go to this URL."""

SCRIPT = (
    "window.pwned=1;try{window.top.pwned=1}catch(e){};"
    "fetch('/services/kore/grades',{method:'POST',body:'{}'});"
    f"new Image().src='{CANARY}?script'"
)
SVG = (
    f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"{SCRIPT}\"><script>{SCRIPT}</script>"
    f"<foreignObject><iframe xmlns='http://www.w3.org/1999/xhtml' src='javascript:{SCRIPT}'/>"
    f"</foreignObject><image href='{CANARY}?svg'/><a href='javascript:{SCRIPT}'><text>x</text></a>"
    "</svg>"
)
PAGE = f'<!doctype html><script>{SCRIPT}</script><img src=x onerror="{SCRIPT}">{SVG}'
"""A malicious HTML file."""


def _data(kind: str, text: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


MARKUP = [
    f"<script>{SCRIPT}</script>",
    f"<script src='{_data('text/javascript', SCRIPT)}'></script>",
    f"<script src='{CANARY}?js'></script>",
    f"<scr<script>ipt>{SCRIPT}</script>",
    f'<img src=x onerror="{SCRIPT}">',
    f'<img src="{CANARY}?img">',
    '<img src="/services/kore/grades?img"><img src="/hub/logout?services/kore/grades">',
    f'<svg onload="{SCRIPT}"></svg>',
    f"<svg><script>{SCRIPT}</script></svg>",
    f'<svg><animate onbegin="{SCRIPT}" attributeName=x dur=1s></animate></svg>',
    f'<svg><use href="{_data("image/svg+xml", SVG)}#x"></use></svg>',
    f"<svg><style><img src=x onerror='{SCRIPT}'></style></svg>",
    f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 '
    f'onerror=&quot;{SCRIPT}&quot;&gt;">',
    f"<noscript><p title=\"</noscript><img src=x onerror='{SCRIPT}'>\"></noscript>",
    f'<iframe src="javascript:{SCRIPT}"></iframe>',
    '<iframe srcdoc="&lt;script&gt;parent.pwned=1&lt;/script&gt;"></iframe>',
    f'<iframe src="{CANARY}?frame"></iframe>',
    f'<object data="{_data("text/html", PAGE)}"></object>',
    f'<embed src="{_data("image/svg+xml", SVG)}">',
    f'<video><source onerror="{SCRIPT}"></video>',
    f'<audio src=x onerror="{SCRIPT}"></audio>',
    f'<details open ontoggle="{SCRIPT}">x</details>',
    f'<input autofocus onfocus="{SCRIPT}">',
    f'<select autofocus onfocus="{SCRIPT}"></select>',
    f'<div style="animation:a 1s" onanimationstart="{SCRIPT}">x</div>'
    "<style>@keyframes a{from{color:red}}</style>",
    f"<style>@import '{CANARY}?import'; body{{background:url({CANARY}?css)}}</style>",
    f'<div style="background:url({CANARY}?style)">x</div>',
    '<div style="position:fixed;inset:0;z-index:9999" class="covers">x</div>',
    f'<link rel=stylesheet href="{CANARY}?link"><link rel=prefetch href="{CANARY}?prefetch">',
    f'<meta http-equiv=refresh content="0;url={CANARY}?meta">',
    f'<base href="{CANARY}/">',
    '<form action="/services/kore/grades" method=post><button autofocus>x</button></form>',
    f'<a class="hostile-link" href="javascript:{SCRIPT}">x</a>',
    f'<a class="hostile-link" href="jav&#x09;ascript:{SCRIPT}">x</a>',
    f'<a class="hostile-link" href="{_data("text/html", PAGE)}">x</a>',
    '<a class="hostile-link" href="/hub/logout?services/kore/grades">x</a>',
    f'<a data-toggle="modal" data-target="#m" href="x">x</a><div id=m data-remote="{CANARY}">',
    f'<div data-toggle="tooltip" data-html="true" title="<img src=x onerror={SCRIPT}>">x</div>',
    '<div class="nbgrader_cell" id="square" data-link="x" name="submission_id">x</div>',
    f"<script type='text/x-mathjax-config'>{SCRIPT}</script>",
    f"<script type=module>{SCRIPT}</script>",
    f"<textarea><img title='</textarea><img src=x onerror={SCRIPT}>'></textarea>",
    f"<!--><img src=x onerror='{SCRIPT}'>-->",
    f"<xmp><p title='</xmp><img src=x onerror=\"{SCRIPT}\">'></xmp>",
    f"</div></div></div></main></body><script>{SCRIPT}</script>",
]

MARKDOWN = [
    f"[x](javascript:{SCRIPT.replace(' ', '%20').replace('(', '%28').replace(')', '%29')})",
    f"![x]({CANARY}?markdown)",
    f'![x](x "\\" onerror={SCRIPT})',
    f"<javascript:{SCRIPT}>",
    "$\\href{javascript:window.pwned=1}{x}$ $\\unicode{<img src=x onerror=window.pwned=1>}$",
    f'$$</p><img src=x onerror="{SCRIPT}">$$',
    f"```html\n</code></pre><script>{SCRIPT}</script>\n```",
    f'```x"><img src=x onerror="{SCRIPT}">\ny\n```',
    f"```mermaid\ngraph LR; A[\"<img src=x onerror='{SCRIPT}'>\"]; "
    f'click A "javascript:{SCRIPT}"\n```',
    "![x](attachment:evil.svg) ![y](attachment:evil.html)",
    f'# <img src=x onerror="{SCRIPT}">',
]


def _output(kind: str, **more: Any) -> NotebookNode:
    return NotebookNode(output_type=kind, metadata=NotebookNode(), **more)


def _shown(data: dict[str, Any], **metadata: Any) -> NotebookNode:
    return NotebookNode(
        output_type="display_data", data=NotebookNode(data), metadata=NotebookNode(metadata)
    )


def outputs() -> list[NotebookNode]:
    """Return outputs of code, each of which would run a script somewhere."""
    breakout = f'"><img src=x onerror="{SCRIPT}">'
    return [
        *(_shown({"text/html": markup}) for markup in MARKUP),
        _shown({"text/html": PAGE}, **{"text/html": {"isolated": True}}),
        *(_shown({"text/markdown": text}) for text in (*MARKUP, *MARKDOWN)),
        _shown({"image/svg+xml": SVG}),
        _shown({"application/javascript": SCRIPT, "text/plain": "x"}),
        _shown({"text/vnd.mermaid": f"graph LR; A[\"<img src=x onerror='{SCRIPT}'>\"]"}),
        _shown({"application/vnd.jupyter.widget-view+json": {"model_id": f"</script>{PAGE}"}}),
        _shown({"application/vnd.vega.v5+json": {"data": [{"url": CANARY}]}, "text/plain": "x"}),
        _shown({"application/pdf": "AAAA", "text/plain": "x"}),
        _shown({"image/png": breakout}),
        _shown(
            {"image/png": "iVBORw0KGgo="},
            **{"image/png": {"width": f"1 onerror={SCRIPT}", "height": breakout, "alt": breakout}},
        ),
        _shown({"image/png": "iVBORw0KGgo="}, filenames={"image/png": breakout}),
        _shown({"text/latex": f"</p>{PAGE} $\\href{{javascript:window.pwned=1}}{{x}}$"}),
        _shown({"text/plain": f"\x1b[31m{PAGE}\x1b]8;;javascript:{SCRIPT}\x07x\x1b]8;;\x07"}),
        _output("stream", name="stdout", text=PAGE),
        _output("stream", name=f"stdout{breakout}", text=PAGE),
        _output("error", ename=PAGE, evalue=PAGE, traceback=[PAGE]),
        NotebookNode(
            output_type="execute_result",
            execution_count=PAGE,
            data=NotebookNode({"text/html": PAGE}),
            metadata=NotebookNode(),
        ),
    ]


def cells() -> list[NotebookNode]:
    """Return cells that would run scripts somewhere; not all are valid in nbformat."""
    breakout = f'"><img src=x onerror="{SCRIPT}">'
    made = [
        NotebookNode(cell_type="markdown", source=text, metadata=NotebookNode(), id=f"m{number}")
        for number, text in enumerate((*MARKUP, *MARKDOWN))
    ]
    made[-2].attachments = NotebookNode(
        {
            "evil.svg": {"image/svg+xml": base64.b64encode(SVG.encode()).decode()},
            "evil.html": {f"text/html{breakout}": base64.b64encode(PAGE.encode()).decode()},
        }
    )
    made.append(
        NotebookNode(
            cell_type="code",
            source=f"# </code></pre>{PAGE}\nprint(1)",
            metadata=NotebookNode(tags=[breakout], magics_language=breakout),
            execution_count=PAGE,
            outputs=outputs(),
            id=breakout,
        )
    )
    made.append(
        NotebookNode(
            cell_type="raw",
            source=PAGE,
            metadata=NotebookNode(raw_mimetype="text/html", format="text/html"),
            id="raw",
        )
    )
    made.append(
        NotebookNode(
            cell_type="markdown",
            source="x",
            id="graded",
            metadata=NotebookNode(
                nbgrader=NotebookNode(
                    schema_version=3,
                    grade_id=breakout,
                    grade=True,
                    solution=True,
                    locked=False,
                    task=False,
                    points=breakout,
                    comment=PAGE,
                )
            ),
        )
    )
    return made


def spoil(notebook: NotebookNode) -> NotebookNode:
    """Add all of it to a notebook's cells and metadata."""
    notebook.cells.extend(cells())
    notebook.metadata.update(
        title=PAGE,
        widgets={"application/vnd.jupyter.widget-state+json": {"state": f"</script>{PAGE}"}},
        language_info={"name": f'"><script>{SCRIPT}</script>', "pygments_lexer": PAGE},
    )
    return notebook
