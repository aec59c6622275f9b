"""Metrics by which effects are judged: one module for each family, with its yardsticks as constants."""
