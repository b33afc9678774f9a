"""What the benchmarks share: processes, their cost, the clients, and how results are shown."""
