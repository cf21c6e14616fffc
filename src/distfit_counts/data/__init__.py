"""From bytes to histograms: every source is read once, streaming."""
