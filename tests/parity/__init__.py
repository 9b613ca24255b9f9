"""The same requests to every engine on every server, and what S3 documents as the answer."""
