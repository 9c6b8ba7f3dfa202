"""The transparency log: leaves, tiles, heads; append, checkpoint, prove."""
