"""How a command ends: exit codes that mean something, and one plain sentence on standard error when it fails."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every `lns` command; docs/operations.md explains them to users."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_ALLOWED = 4
    NOT_FOUND = 5


class CommandError(Exception):
    """A command that cannot go on: the sentence says what is wrong and what to do, `code` is the exit code."""

    def __init__(self, text: str, code: Exit = Exit.REFUSED) -> None:
        super().__init__(text)
        self.code = code
