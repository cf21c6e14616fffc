"""Numbers into sentences, each with a stable code: one file for each thing that a reader must know about."""
