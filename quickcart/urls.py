"""What the web process serves."""

from django.conf import settings
from django.contrib import admin
from django.http import Http404
from django.urls import URLPattern, URLResolver, include, path
from django.views.defaults import page_not_found

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/", include("operations.urls")),
    path("webhooks/", include("payments.urls")),
    path(f"{settings.ADMIN_PATH}/", admin.site.urls),
]
if settings.SANDBOX:
    urlpatterns.append(path("", include("sandbox.urls")))
else:
    # Who asks a real shop for its front door learns nothing, not even with DEBUG on.
    urlpatterns.append(path("", page_not_found, {"exception": Http404()}))
