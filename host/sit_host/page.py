"""The templates of the HTML pages: one way to open them."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def page(name: str, **filters: object) -> Template:
    """The template `name` of sit_host/templates with these filters; text is escaped, an unknown name is an error."""
    environment = Environment(
        loader=PackageLoader("sit_host"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.get_template(name)
