"""`/fhir/.well-known/smart-configuration`: how hospital systems with keys of their own sign in (SMART App Launch 2)."""

from fastapi import APIRouter, Request, Response

from gateway.api.fhir_errors import BASE
from gateway.api.fhir_messages import PublicRoot, bytes_response
from gateway.interop.fhir.resource import to_bytes
from gateway.platform.identity.public_keys import ALGORITHMS
from gateway.platform.identity.smart_scopes import SMART_SCOPES
from shared.problem_responses import example_response

router = APIRouter(prefix=BASE, tags=["fhir"])
TOKEN_PATH = "/v1/tokens"  # noqa: S105 -- an address


def configuration(root: str) -> dict[str, object]:
    """The document (SMART App Launch 2, conformance).

    Args:
        root: the gateway's address.
    """
    return {
        "issuer": f"{root}{BASE}",
        "token_endpoint": f"{root}{TOKEN_PATH}",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
        "token_endpoint_auth_signing_alg_values_supported": sorted(ALGORITHMS, reverse=True),
        "scopes_supported": list(SMART_SCOPES),
        # Required by the standard, although nobody begins a launch here.
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v2"],
    }


@router.get(
    "/.well-known/smart-configuration",
    summary="SMART configuration",
    responses=example_response(configuration("https://trabecula.hospital.example")),
    response_class=Response,
)
@router.head("/.well-known/smart-configuration", include_in_schema=False)
async def get_smart_configuration(request: Request, root: PublicRoot) -> Response:
    """Where and how a hospital system gets a token with a key of its own (SMART Backend Services).

    Needs no credential.
    """
    answer = bytes_response(request, to_bytes(configuration(root)))
    answer.headers["Content-Type"] = "application/json"
    return answer
