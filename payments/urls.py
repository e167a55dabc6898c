from django.urls import path

from payments.views import WebhookView

urlpatterns = [path("<slug:gateway>/", WebhookView.as_view(), name="gateway-webhook")]
