"""A picture as an HTML page that carries all it needs: it draws what it is given, and runs and fetches nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import cache
from typing import Any

# Vega's expressions are interpreted, so that the page can do without eval. Of its menu, only pictures: "source" would
# write the data into another page as HTML, and "editor" send them to a public one.
_OPTIONS = {
    "renderer": "svg",
    "ast": True,
    "actions": {"export": True, "source": False, "compiled": False, "editor": False},
}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
</head>
<body>
<div id="picture"></div>
<script>{library}</script>
<script>{drawing}</script>
</body>
</html>
"""


def page(spec: dict[str, Any], version: str) -> str:
    """The page that draws a Vega-Lite specification of ``version``."""
    library = _library(version)
    drawing = f'vegaEmbed("#picture", {script_json(spec)}, {script_json(_OPTIONS)}).catch(console.error);'
    # Only these two scripts run, wherever else one may have come from; images are those that the page makes itself.
    scripts = " ".join(f"'sha256-{_digest(script)}'" for script in (library, drawing))
    policy = f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:"
    title = html.escape(" ".join(spec.get("title", {}).get("text", ["distfit"])))
    return _PAGE.format(policy=policy, title=title, library=library, drawing=drawing)


def script_json(value: Any) -> str:
    """``value`` as JSON that can stand in a script element: no text in it ends the script, or begins a comment."""
    text = json.dumps(value, allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _library(version: str) -> str:
    import vl_convert

    bundle = str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", version))
    # As a browser reads it, or its digest is another.
    return bundle.replace("\r\n", "\n").replace("\r", "\n")
