"""Tables in bulk, FHIR and Open mHealth."""
