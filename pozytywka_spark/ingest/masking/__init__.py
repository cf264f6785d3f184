"""What people write, without what names them: addresses, numbers, links, their own names and streets."""
