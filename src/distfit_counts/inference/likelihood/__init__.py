"""The shape of the likelihood away from its maximum: pinned, profiled, over two parameters."""
