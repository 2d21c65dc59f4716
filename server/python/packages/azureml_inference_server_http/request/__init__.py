"""The parts of AMLRequest and AMLResponse."""
