"""Cases: what people are asked about an incident, by when, and what their answers change.

One case per incident, with a line for each recipient and rule that refers. Everything here is a pure function of
values: whoever keeps incidents alive gives the case, the event and the time, and stores what comes back.
"""
