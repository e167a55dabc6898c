"""The endpoint a payment gateway calls."""

import logging

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.gateways import get_gateway
from payments.gateways.base import WebhookMalformed, WebhookRefused
from payments.services.events import receive_event

logger = logging.getLogger(__name__)
MOST_BYTES = 64 * 1024


class WebhookView(APIView):
    """Stores the event and answers; everything else happens later."""

    def post(self, request: Request, gateway: str) -> Response:
        try:
            adapter = get_gateway(gateway)
        except ImproperlyConfigured:
            return Response(status=status.HTTP_404_NOT_FOUND)
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            return Response(status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        # The raw body, whatever its content type says: the gateway may label JSON as a form.
        body = request._request.body
        try:
            event = adapter.parse_webhook(request.headers, body)
        except WebhookRefused:
            logger.warning("webhook refused", extra={"gateway": gateway})
            return Response(status=status.HTTP_403_FORBIDDEN)
        except WebhookMalformed:
            logger.warning("webhook malformed", extra={"gateway": gateway, "bytes": len(body)})
            return Response(status=status.HTTP_400_BAD_REQUEST)
        is_new = receive_event(gateway=adapter.name, event=event, now=timezone.now())
        return Response({"received": is_new})
