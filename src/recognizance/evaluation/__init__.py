"""How wrong is it: error rates of one-to-one and one-to-many recognition, per group, with their uncertainty."""
