"""Stewards: what the engine cannot decide is a task, and what people decide binds the engine."""
