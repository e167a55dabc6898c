"""Exit 0 when the web process on the named port says that the whole shop is ready.

Asked by compose.yaml every half a minute: the standard library only, so that it costs little.
"""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


def find_fault(port: int, public_url: str) -> str:
    """Return what is wrong, or nothing."""
    connection = HTTPConnection("127.0.0.1", port, timeout=8)
    # The name the site answers to, which is not this container's.
    host = urlsplit(public_url).netloc or f"127.0.0.1:{port}"
    try:
        connection.request("GET", "/health/ready/", headers={"Host": host})
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return f"The web process does not answer: {error}"
    finally:
        connection.close()
    return "" if answer.status == HTTPStatus.OK else f"{answer.status} {body}"


if __name__ == "__main__":
    sys.exit(find_fault(int(sys.argv[1]), os.environ.get("PUBLIC_URL", "")) or 0)
