"""poolrace: runs, verifies and times divisible work under each execution model of Python."""
