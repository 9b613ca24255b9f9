"""Whole trees of objects and files: copied, moved, compared and kept in step."""
