"""A saved model on data that it was not fitted to."""
