from django.urls import include, path

from sandbox import live
from sandbox.pages import chat, docs, missing, start

urlpatterns = [
    path("", start.page, name="sandbox-start"),
    path("sandbox/", chat.page, name="sandbox-chat"),
    path("sandbox/docs/", docs.page, name="sandbox-docs"),
    path("sandbox/docs/<slug:name>/", docs.page, name="sandbox-doc"),
    path("sandbox/docs/pictures/<str:name>", docs.picture, name="sandbox-doc-picture"),
    path("sandbox/live/", live.live, name="sandbox-live"),
    path("sandbox/telegram/", include("sandbox.telegram.urls")),
    path("sandbox/api/", include("sandbox.api.urls")),
    path("sandbox/pakasir/", include("sandbox.pakasir.urls")),
    path("<path:rest>", missing.page),
]
