"""Generated organizations and measurements."""
