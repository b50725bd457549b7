"""Response models that two modules or more use."""
