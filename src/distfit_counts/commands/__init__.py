"""One command per file, one screen each."""
