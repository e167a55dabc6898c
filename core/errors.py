"""What a service raises when a rule of the business refuses."""


class DomainError(Exception):
    """A refusal that an interface turns into one helpful sentence.

    Subclasses carry their data as attributes; `code` names the refusal for logs and templates.
    """

    code = "error"
