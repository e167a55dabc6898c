from django.urls import path

from sandbox.telegram import views

urlpatterns = [
    path("file/bot<str:token>/<path:path>", views.file, name="sandbox-telegram-file"),
    path("bot<str:token>/<str:name>", views.method, name="sandbox-telegram-method"),
    path("<path:rest>", views.nothing),
]
