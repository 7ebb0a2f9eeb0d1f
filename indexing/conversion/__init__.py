"""Files that are neither PDFs nor images, drawn as PDFs: these are kept, read and shown."""
