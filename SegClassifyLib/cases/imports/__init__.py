"""Training sets from what people have: CSV tables, class-named folders, Decathlon and nnU-Net folders."""
