"""What the registry answers when it cannot do what was asked. A database that fails is a StoreError."""


class RegistryError(ValueError):
    """A request the registry refuses; `code` is not_found, conflict or invalid, the text names the value."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def not_found(text: str) -> RegistryError:
    """What was named does not exist."""
    return RegistryError("not_found", text)


def conflict(text: str) -> RegistryError:
    """What was asked contradicts what is stored."""
    return RegistryError("conflict", text)


def invalid(text: str) -> RegistryError:
    """A value is not what its field takes."""
    return RegistryError("invalid", text)
