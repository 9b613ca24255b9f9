"""What carries bytes to S3: `lean` by default, `boto` for what is unusual, `memory` for tests."""
