"""What difference the treatments made: sums of users, their comparison, the page."""
