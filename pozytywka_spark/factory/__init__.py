"""A model for each group of cases, kept only where its precision is proven, watched before and after it acts."""
