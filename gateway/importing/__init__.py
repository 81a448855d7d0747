"""What somebody offers to put in place: looked at, compared, and put there. For every way in."""
