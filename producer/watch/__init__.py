"""Shows a running cluster live: in the terminal and as a web page on this machine."""
