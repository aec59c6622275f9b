"""The words everything else is said in: facts, sources, owners, metrics, definitions. No IO, no clock."""
