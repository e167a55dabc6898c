class Refusal(Exception):
    """Answered as JSON: `{"message": …}` with this HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers: dict[str, str] = {}


class TooManyRequests(Refusal):
    def __init__(self, seconds: int) -> None:
        super().__init__(429, "Too many requests")
        self.headers = {"Retry-After": str(seconds)}
