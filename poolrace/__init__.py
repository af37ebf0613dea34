"""poolrace: divisible work under every execution model that Python offers, exact and measured."""
