"""The makers of the zoo, grouped by area: one small function a service, found by their decorator."""
