"""Released assignments, submissions and feedback: archives in the store, an index of them."""
