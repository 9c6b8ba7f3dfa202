"""The desk: complaints and their needs, from the counter to an answer."""
