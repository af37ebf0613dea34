"""The data of results files: raw values, nothing derived."""
