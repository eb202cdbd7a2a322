"""Reports to look at: one HTML file with everything inside, and tables that are HTML or Markdown."""
