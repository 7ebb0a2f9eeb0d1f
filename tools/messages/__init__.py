"""What a conversation's messages say: who wrote them, what was found, shown and asked."""
