"""One method an endpoint, in the groups of ``api/routes``."""
