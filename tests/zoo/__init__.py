"""The acceptance zoo: real resources of many services, made in moto, with the ARNs that AWS would give them."""
