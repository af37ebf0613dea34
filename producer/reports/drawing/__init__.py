"""Drawing: charts as SVG, and their CSS."""
