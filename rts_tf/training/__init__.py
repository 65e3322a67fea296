"""Train a network in stages (section 3.1). Open recurrence.py first."""
