"""Networks of others, as plain modules of ours that their published weights fit."""
