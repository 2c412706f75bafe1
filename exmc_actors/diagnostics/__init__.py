"""Judge draws that are there: containers, estimates, warnings; nothing in here samples or waits."""
