"""The formats that leads come in: one file per format, each from bytes to drafts."""
