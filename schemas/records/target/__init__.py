"""The stream `target`: who may need help."""
