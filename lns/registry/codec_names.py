"""How people name a version of a codec: lht65@2, lht65@draft, lht65@active, or lht65 alone for the active one."""

WORDS = ("active", "draft")


def split_version(named: str) -> tuple[str, str]:
    """Name and version; an @ that no version follows belongs to the name."""
    name, at, which = named.rpartition("@")
    if at and name and (which in WORDS or (which.isascii() and which.isdigit())):
        return name, which
    return named, "active"
