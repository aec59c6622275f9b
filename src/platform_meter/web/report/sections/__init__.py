"""One module per section of the report; each names its `CHAPTER`, and nothing lists them."""
