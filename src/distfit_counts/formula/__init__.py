"""Formulas: text -> terms -> columns of a design matrix. No text is ever run as a program."""
