"""Tests of one model against another, and the tails of their null distributions."""
