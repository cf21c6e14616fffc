"""Which of several models: criteria, number of components, ceilings."""
