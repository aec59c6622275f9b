"""SLOs: files in (Spec), every number and name resolved (Plan). Renderers turn Plans into artifacts; they choose form, never numbers."""
