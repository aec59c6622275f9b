"""One module per dashboard, each with its `DASHBOARD`; nothing lists them."""
