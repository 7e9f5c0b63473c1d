"""The simulator: the world, the truth, the engines, and what shows a run to people."""
