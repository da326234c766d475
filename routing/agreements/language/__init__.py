"""The language of agreements as tables: every key, what may stand under it, and what it means.

::

    shapes       what a value may be: a text, a day, a word of a list, a mapping
    conditions   the keys of `when` and `unless`
    rules        the keys of each kind of rule
    files        the keys of an agreement, and of a file of standing protections
    examples     the keys of an example
    bundle       the keys of bundle.yaml

The loader takes the keys and the words that it allows from here; the JSON Schemas and the reference page
(docs/reference) are made of the same tables. What needs more than one value to be seen, such as a grant above the
ceiling, is the loader's alone.
"""

from routing.agreements.language.bundle import BUNDLE
from routing.agreements.language.conditions import BLOCK
from routing.agreements.language.examples import EXAMPLE
from routing.agreements.language.files import SHARING_FILE, STANDING_FILE
from routing.agreements.language.rules import RULES

__all__ = ["BLOCK", "BUNDLE", "EXAMPLE", "RULES", "SHARING_FILE", "STANDING_FILE"]
