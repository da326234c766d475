"""Would anybody notice a slip in the rules? Small changes are made to a bundle, and what notices them is counted.

``changes`` makes every small change that somebody's hand could make (``of_conditions``, ``of_rules``,
``of_agreements``), one at a time. The examples that the bundle carries may notice one; so may the ``witnesses``, events
at the edges of each rule, made from the bundle alone and without a look at any change. Of what neither notices,
``telling_apart`` finds out exactly whether any event could (``outcomes`` is a decision as formulas): a change of which
none can is no change. ``trial`` puts these together, ``proposals`` writes the examples that are missing.

What is compared of a decision: the state of every part, how finely each section tells places, retention, onward use,
the grounds, the mark of review, the lines of a referral (rule, path, reason, parts), and what a member hears that holds
the head. All of these exactly, for every event of the space of ``analysis``, on the days that the change is about:
those on which an agreement begins or stops to hold, else the one day asked for (or the nearest on which the agreement
is in force). Not changed, and so not examined: what only rulings or earlier deliveries of sections bring to light
(``override``, ``follow``), names, titles and legal bases.
"""
