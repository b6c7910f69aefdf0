"""The contract of the stores: one suite, held by each database, on real servers and with several processes."""
