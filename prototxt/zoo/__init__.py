"""Model prototxts of our own, made by short generators."""
