"""The request and the answer of a script that reads HTTP itself."""
