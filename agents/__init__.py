"""The actors: people, spammers and bots. They know the filter's events alone."""
