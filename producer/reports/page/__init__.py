"""The parts of the HTML page of a report: elements, charts, tables, style and scripts."""
