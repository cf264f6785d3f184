"""Groups too big for one task: their trees grow across executors, their proof is still one task's."""
