"""The centre: accepts signed batches, keeps evidence, reconciles, answers the desk."""
