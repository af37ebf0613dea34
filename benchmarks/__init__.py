"""Programs that poolrace is measured against, side by side."""
