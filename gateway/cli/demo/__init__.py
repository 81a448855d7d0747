"""`gateway demo`: four processes on loopback, and what goes right and wrong between them."""
