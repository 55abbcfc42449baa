"""Query → hits: candidates from both legs, fused, then any steps. Knows the ports; refuses to know files and models."""
