"""Tags of the back office's pages."""

from typing import Any

from django import template
from django.db.models.options import Options
from django.urls import reverse

from backoffice.navigation import menu_title

register = template.Library()
Crumb = dict[str, Any]


@register.inclusion_tag("backoffice/trail.html", takes_context=True)
def trail(context: template.Context) -> dict[str, list[Crumb]]:
    """Say where a page is in the menu's own words: list, row, page."""
    opts: Options[Any] | None = context.get("opts")
    if opts is None:
        return {"crumbs": [{"title": context.get("title", "")}]}
    place = f"admin:{opts.app_label}_{opts.model_name}"
    crumbs: list[Crumb] = [
        {"title": menu_title(opts), "link": reverse(f"{place}_changelist")},
    ]
    row = context.get("original") or context.get("object")
    if row is not None and not isinstance(row, str):
        name = context.get("row_title") or str(row)
        crumbs.append({"title": name, "link": reverse(f"{place}_change", args=[row.pk])})
    elif context.get("add"):
        crumbs.append({"title": context["title"]})
    return {"crumbs": crumbs}
