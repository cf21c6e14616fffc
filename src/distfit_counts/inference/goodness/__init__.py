"""Does the model describe the data it was fitted to? Cells, statistics, residuals, bands."""
