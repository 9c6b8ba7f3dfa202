"""What runs in the background, one module a duty; holds no rule."""
