"""`python -m connectors` is the `titian-connector` command."""

from connectors.cli import main

main()
