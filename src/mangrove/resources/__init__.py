"""Layer 2: an object with an ARN for every AWS resource; import its modules, as this one loads nothing by itself."""
