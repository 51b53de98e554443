"""Where threads and turns stand, one file for each database."""
