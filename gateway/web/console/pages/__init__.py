"""The pages, by role."""
