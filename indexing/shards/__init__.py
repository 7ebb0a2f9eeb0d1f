"""Documents read and encoded ahead, by any number of processes: a file each, which an index takes in."""
