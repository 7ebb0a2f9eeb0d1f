"""What any call over a network or a pipe needs: attempts, time limits, prices, news of what goes on, processes."""
