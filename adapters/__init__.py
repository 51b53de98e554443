"""The platforms, one folder each. They import the core; the core never imports them."""
