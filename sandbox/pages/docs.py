"""`/sandbox/docs/`: README*.md and docs/*.md as pages, with the pictures beside them."""

import mimetypes
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sandbox.pages.markdown import read_markdown
from sandbox.pages.policy import own_page

FRONT = "readme"
INDONESIAN = "readme-id"
PICTURE_KINDS = frozenset({".png", ".webp", ".svg"})


@dataclass(frozen=True)
class Document:
    name: str
    path: Path
    title: str

    @property
    def is_front(self) -> bool:
        return self.name == FRONT


@require_safe
@own_page
def page(request: HttpRequest, name: str = FRONT) -> HttpResponse:
    documents = _documents()
    document = next((each for each in documents if each.name == name), None)
    if document is None:
        raise Http404(f"no document {name}")
    source = document.path.read_text(encoding="utf-8")
    folder = document.path.parent.relative_to(settings.BASE_DIR).as_posix()
    context = {
        "document": document,
        "documents": documents,
        "html": read_markdown(source, folder=folder).html,
    }
    return render(request, "sandbox/doc.html", context)


def _documents() -> list[Document]:
    """Read the folder each time: names of requests are looked up here and never become paths."""
    root = Path(settings.BASE_DIR)
    paths = {FRONT: root / "README.md", INDONESIAN: root / "README.id.md"}
    paths |= {path.stem: path for path in sorted(_folder().glob("*.md"))}
    return [
        Document(name, path, _title(name, path)) for name, path in paths.items() if path.is_file()
    ]


def _title(name: str, path: Path) -> str:
    if name == INDONESIAN:
        return "Bahasa Indonesia"
    return read_markdown(path.read_text(encoding="utf-8")).title or name


def _folder() -> Path:
    return Path(settings.BASE_DIR) / "docs"


@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponseBase:  # noqa: ARG001 - a view
    folder = _folder() / "pictures"
    here = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
    path = here.get(name)
    if path is None or path.suffix not in PICTURE_KINDS or path.is_symlink():
        raise Http404(f"no picture {name}")
    response = FileResponse(path.open("rb"), content_type=mimetypes.guess_type(name)[0])
    # Opened by itself an SVG is a document: no script of it may run.
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return response
