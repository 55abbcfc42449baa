"""What is made from the catalog and can be made again: keyword index and vector index."""
