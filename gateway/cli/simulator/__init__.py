"""A partner or a back-end to test against, from a script."""
