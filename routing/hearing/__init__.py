"""A person's ruling: read, judged with all that it hangs on, and what follows from it.

`reading` is what a ruling must be; `ruling` one ruling with the incident's latest event, its case and its consequences;
`flowing` what it lets flow, `taking_back` what it takes back. `routing.ruled` puts them together.
"""
