"""Objects of many parts: up, down and across, each part tried alone, and what a killed process left."""
