"""SLO objects in a cluster to PrometheusRules: what they say and what is to be written is pure, `cluster` and `loop` are not."""
