"""The web page: Clew's own platform, served from the process it runs in."""
