"""Letters and print-outs: made of frozen data, numbered without a gap, equal years later."""
