"""`python -m lns` is the command `lns`."""

from lns.cli import main

main()
