"""Agencies, their keysets and their grants: who may speak."""
