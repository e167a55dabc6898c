"""Health of the running shop, for monitors and load balancers."""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from operations.health import find_problems


def live(_request: HttpRequest) -> JsonResponse:
    """Answer as soon as the web process serves requests; touch nothing else."""
    return JsonResponse({"status": "ok"})


def ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part works, else 503 with one reason per part that does not."""
    problems = find_problems(now=timezone.now())
    if problems:
        return JsonResponse({"status": "unavailable", "reasons": problems}, status=503)
    return JsonResponse({"status": "ready"})
