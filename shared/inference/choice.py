"""Which runtime holds a network: one setting decides, nothing else changes."""

from pathlib import Path

import numpy as np

from shared.inference import CheckedScorer, Scorer
from shared.inference.onnx import OnnxScorer
from shared.manifest import DamagedModel, verify_manifest
from shared.packages import package_folder
from shared.settings import ServiceSettings

Shape = tuple[int, ...]
OTHER_VERSION = "use a version that was made for this service, or go back to the one before."


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


def verified_folder(settings: ServiceSettings, name: str, version: str) -> Path:
    """The folder of a package that is to answer beside that of the settings, every file of it verified.

    Raises:
        DamagedModel: there is no such package that may be loaded, or networks are not scored in this process.
    """
    if settings.inference != "onnx":
        raise DamagedModel(
            "Versions side by side need TRABECULA_INFERENCE=onnx: on an inference server, "
            "TRABECULA_INFERENCE_VERSIONS chooses."
        )
    folder = package_folder(settings.models, name, version, settings.signers)
    verify_manifest(folder)
    return folder


def require_outputs(scorer: Scorer, input_shape: Shape, shapes: dict[str, Shape], name: str) -> None:
    """See that a network in this process answers as its service asks, before it is trusted with a picture.

    Args:
        input_shape: of one picture, without the batch. shapes: of each output that is needed, without the batch.

    Raises:
        DamagedModel: it is another network, or one of a version that this service does not understand.
    """
    try:
        outputs = scorer.score({"radiograph": np.zeros((1, *input_shape), np.float32)})
    except Exception as error:  # whatever the runtime makes of another input
        raise DamagedModel(f"The {name} network takes other pictures than this service has: {OTHER_VERSION}") from error
    for output, shape in shapes.items():
        actual = outputs[output].shape[1:] if output in outputs else None
        if actual != shape:
            raise DamagedModel(f"The {name} network gives {output} as {actual} instead of {shape}: {OTHER_VERSION}")
