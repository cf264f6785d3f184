"""A model for each group of cases, kept only where its precision is proven, watched as it acts."""
