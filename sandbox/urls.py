from django.urls import include, path

urlpatterns = [
    path("telegram/", include("sandbox.telegram.urls")),
    path("api/", include("sandbox.api.urls")),
    path("pakasir/", include("sandbox.pakasir.urls")),
]
