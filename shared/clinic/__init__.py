"""One reading of a clinical record: what it says, what it leaves open, and what is assumed. Pure.

The clinical service, the recommender and the gateway all read a record through `Reading`, so that no two parts of one
answer can disagree on a fact. Policies are parameters; figures stand here once, each with its source.
"""

from shared.clinic.reading import Reading, readings_of

__all__ = ["Reading", "readings_of"]
