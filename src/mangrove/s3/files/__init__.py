"""Where bytes come from and go to: files, streams and temporary files that are renamed into place."""
