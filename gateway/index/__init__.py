"""The shared index: which records of which agencies speak of the same person."""
