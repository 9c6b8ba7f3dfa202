"""`python -m gateway` is the `titian` command."""

from gateway.cli import main

main()
