"""Delivery in the simulated company, judged once more from its own records: the rules of the domain (section 6) as
plainly as they can be said, in loops within loops. Nothing is shared with the measures.

What nobody could tell a meter is left out: `Reach` says what it can know.
"""
