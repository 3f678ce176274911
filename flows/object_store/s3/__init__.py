"""Calls to Amazon S3 and to stores with its interface, with boto3.

obstore, which serves the other stores, cannot list a bucket that holds a key like `a//b.md`, reports the key `a/` as
`a`, and does not compare what it reads with the checksum of an object.
"""
