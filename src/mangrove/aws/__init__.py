"""Layer 1: the only room that knows botocore's insides."""
