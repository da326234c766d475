"""The demonstration: real police records through the whole path, one process for each part.

`run` starts and watches, `crew` holds the processes, `figures` reads their databases. `lives` is what people do about
five incidents, `acting` how they see and act. `screen`, `lives_words` and `story` show what happened. The exchange, its
agreements and the records stand beside this file as an integrator would write them.
"""
