"""The data that results files hold; nothing in it is derived."""
