"""A fit as text: for people, for pipelines, for files. No numbers are computed here."""
