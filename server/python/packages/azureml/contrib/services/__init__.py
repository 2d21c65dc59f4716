"""AMLRequest and AMLResponse under their older names."""
