"""The demo city: embedded servers, invented agencies, and the walk through the straight line."""
