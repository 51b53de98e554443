"""A machine that tries to break the promises: people, faults and kills at random, everywhere at once, and a judge."""
