"""Find the literal address in an address with a template expression, which only the site's generator can evaluate."""

import re

# A quoted path with a filter or as an argument, such as {{ "/a.jpg" | relative_url }}, {{< ref "a.jpg" >}} or
# {{ url_for('static', filename='a.jpg') }}.
_QUOTED = re.compile(r"""["']([^"'{}]*+)["']""")
_LINK = re.compile(r"\{%-?\s*(?:link|post_url|asset_path|asset_img|static|asset)\s+([^\s{}\"'%]+)[^{}]*%\}")
_EXPRESSION = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}|\{[^{}]*\}")
_PELICAN = re.compile(r"\A\{(?:static|attach|filename|photo|image)\}")
_MARKS = ("{{", "{%", "{")


def literal_address(written: str) -> str:
    """Return the address with the literal part of its expressions, or as it is written if they have none.

    `{{ site.baseurl }}/a.jpg` is /a.jpg, `{% link assets/a.jpg %}` is assets/a.jpg.
    """
    if "{" not in written:
        return written
    address = _PELICAN.sub("", written, count=1)
    address = _EXPRESSION.sub(lambda expression: _literal_of(expression[0]), address)
    return address.strip() or written


def is_template(address: str) -> bool:
    """Return whether an address still has a template expression."""
    return address.startswith(_MARKS) or "{{" in address or "{%" in address


def _literal_of(expression: str) -> str:
    if found := _LINK.match(expression):
        return found[1]
    return next((text for text in _QUOTED.findall(expression) if "/" in text or "." in text), "")
