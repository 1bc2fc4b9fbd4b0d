"""Which runtime holds a network: one setting decides, nothing else changes."""

from pathlib import Path

from shared.inference import CheckedScorer
from shared.inference.onnx import OnnxScorer
from shared.settings import ServiceSettings


def open_scorer(settings: ServiceSettings, name: str, onnx: Path) -> CheckedScorer:
    """The scorer of one network.

    Args:
        name: what the network is called on an inference server.
        onnx: the file that holds it in this process.
    """
    if settings.inference == "onnx":
        return OnnxScorer(onnx, settings.inference_threads)
    address, version, deadline_s = (
        settings.inference_address,
        settings.inference_versions.get(name),
        settings.inference_deadline_s,
    )
    if settings.inference == "tfserving":
        from shared.inference.tfserving import TfServingScorer  # an extra: see there

        return TfServingScorer(address, name, version, deadline_s)
    from shared.inference.oip import OipScorer  # the HTTP client costs what most installations need not pay

    return OipScorer(address, name, version, deadline_s)
