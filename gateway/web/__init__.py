"""The HTTP edge: views parse, call one service, answer."""
