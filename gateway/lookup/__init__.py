"""What is asked of agencies at once: requests in their inboxes, and their signed answers."""
