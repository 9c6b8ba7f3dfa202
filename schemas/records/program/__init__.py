"""The stream `program`: what help there is, and who gets it."""
