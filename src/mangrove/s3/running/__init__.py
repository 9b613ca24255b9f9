"""What carries operations out: one scheduler over an engine, with tries, windows and handles."""
