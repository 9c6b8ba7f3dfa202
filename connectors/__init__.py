"""The agency side: reads its own database and publishes signed records. Installed alone."""
