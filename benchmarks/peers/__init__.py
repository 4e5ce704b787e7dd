"""What somebody would build instead: each does its shape of the job honestly, and nothing that we do not."""
