"""Tables that live elsewhere: the engine groups and counts, and only the histogram travels."""
