"""The console: a run as people watch it, live or again, in a terminal or a browser."""
