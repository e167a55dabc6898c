from django.urls import path

from operations import views

urlpatterns = [
    path("", views.live, name="health"),
    path("ready/", views.ready, name="health-ready"),
]
