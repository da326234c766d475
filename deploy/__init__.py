"""Puts the parts together and runs them: command line, embedded broker, provisioning, demonstration, documents.

`deploy.cli` holds one module for each command. Everything else here serves one of them: `broker` and `kafka_jars` run a
real Kafka from Python packages, `provision` makes an exchange's topics, `topic_reader` reads a topic to its end,
`deploy.demo` plays the demonstration, and `docs` writes the reference pages from what they describe.
"""
