"""What is decided without a call: names, options, plans, checksums, paths and retry arithmetic, as pure functions."""
