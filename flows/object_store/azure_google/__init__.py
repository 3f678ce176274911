"""Calls to Azure Blob Storage and Google Cloud Storage, with obstore."""
