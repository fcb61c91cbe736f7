"""The demo: the whole way on made-up heads, from label maps to a report."""
