class EmbeddedError(Exception):
    """The local servers cannot run; the message is one sentence for the operator."""
