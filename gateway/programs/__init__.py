"""Programmes: what help there is, how much of it is left, who may have it, and what is promised."""
