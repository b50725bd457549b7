"""Request and response models that two modules or more use."""
