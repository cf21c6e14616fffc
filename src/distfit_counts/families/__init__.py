"""Count distributions: base families, combinators, and the language that names them."""
