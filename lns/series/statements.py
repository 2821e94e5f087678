"""Many rows in one statement, in a few fixed sizes, so that SQLite's statement cache knows them all."""

from collections.abc import Iterator

SIZES = (5000, 1000, 200, 50, 10, 1)  # 5,000 rows take 30,000 of SQLite's 32,766 parameters


def upserts(insert: str, columns: int, conflict: str) -> dict[int, str]:
    """Statement size to text: `insert` names the table and its columns, `conflict` the clause after ON CONFLICT."""
    row = f"({','.join('?' * columns)})"
    return {size: f"{insert} VALUES {','.join([row] * size)} ON CONFLICT {conflict}" for size in SIZES}


def pieces(first: int, count: int) -> Iterator[tuple[int, int]]:
    """Start and size of the statements that take `count` rows from row `first`."""
    for size in SIZES:
        while count >= size:
            yield first, size
            first += size
            count -= size
