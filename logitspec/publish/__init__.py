"""What leaves the app: exports, recorded runs, the Space."""
