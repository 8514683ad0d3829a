"""report.html: one page that answers the questions of a sweep, in their order."""
