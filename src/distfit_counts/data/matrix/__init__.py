"""Count matrices, of which only what is not zero is stored: every row or every column is a variable."""
