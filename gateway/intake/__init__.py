"""Batches as bytes: accept, apply, quarantine."""
