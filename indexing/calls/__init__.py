"""What any call over a network or a pipe needs: attempts, time limits, destinations, prices,
progress, processes."""
