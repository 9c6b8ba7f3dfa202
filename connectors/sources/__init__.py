"""Kinds of source, one file a kind; each inherits the conformance suite of the tests."""
