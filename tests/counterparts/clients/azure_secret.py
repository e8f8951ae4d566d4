"""What the official Python libraries get of an Azure Key Vault, for the fake that stands in for one.

usage: azure_secret.py VAULT TENANT CLIENT SECRET, with the CI's token in TOKEN
Prints {"value": …} or {"error": its class, "status": …, "code": …}.
"""

import json
import os
import sys

from azure.core.exceptions import AzureError
from azure.identity import ClientAssertionCredential
from azure.keyvault.secrets import SecretClient

vault, tenant, client, name = sys.argv[1:]
credential = ClientAssertionCredential(tenant, client, lambda: os.environ["TOKEN"])
try:
    print(json.dumps({"value": SecretClient(vault, credential).get_secret(name).value}))
except (AzureError, ValueError) as error:
    response = getattr(error, "response", None)
    told = getattr(error, "error", None)
    print(
        json.dumps(
            {
                "error": type(error).__name__,
                "status": getattr(response, "status_code", None),
                "code": getattr(told, "code", None),
                "message": str(error),
            }
        )
    )
