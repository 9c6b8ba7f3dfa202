"""What a preview found, as a file for whoever types the data: one module a kind of file."""
