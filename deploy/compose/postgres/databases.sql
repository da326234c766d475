-- Run once, when the volume is new: what a member receives and what a force records are databases of their own.
CREATE DATABASE ledger_west_yorkshire;
