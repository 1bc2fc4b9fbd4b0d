"""What a file says of the film it holds, and what has to be known about a film that was read all the same."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Contract

# Closed: a program can rely on it. docs/reference/inputs.md says when each comes.
FilmWarningType = Literal[
    "window_ignored", "low_contrast", "not_for_presentation", "photographed_film", "burned_in_text",
    "body_part_differs", "side_differs", "same_leg_twice", "more_than_two_knees", "upside_down",
    "not_frontal", "growth_plates", "hardware", "few_pixels", "blurred", "heavy_compression", "unusual_picture",
    "orientation_unchecked",
]  # fmt: skip


class FilmWarning(Contract):
    """A film that was read, and what its reader has to weigh; a good film has none."""

    type: FilmWarningType
    detail: str


class FilmSource(Contract):
    """Where an assessment's radiograph comes from, so that a result can go back there."""

    study_uid: str | None = None
    series_uid: str | None = None
    sop_uid: str | None = None
    accession: Annotated[str | None, Field(description="Accession number of the order")] = None


class DicomGrayscale(Contract):
    """How a DICOM file wants its stored values shown; null where it does not say. Of its windows, the first."""

    photometric: Annotated[str | None, Field(description="MONOCHROME1 or MONOCHROME2")] = None
    rescale_slope: float | None = None
    rescale_intercept: float | None = None
    window_center: float | None = None
    window_width: float | None = None
    window_function: Annotated[str | None, Field(description="LINEAR (also where null), LINEAR_EXACT, SIGMOID")] = None
    presentation_shape: Annotated[str | None, Field(description="IDENTITY or INVERSE")] = None
    has_table: Annotated[bool, Field(description="Shown by a look-up table, which is not kept")] = False


class DicomIdentity(FilmSource):
    """Everything by which a DICOM file names its patient, order and study. Stored encrypted, never answered whole."""

    sop_class_uid: str | None = None
    frame_of_reference_uid: str | None = None
    study_id: str | None = None
    study_description: str | None = None
    study_date: Annotated[str | None, Field(description="As in the file: YYYYMMDD")] = None
    study_time: str | None = None
    modality: str | None = None
    manufacturer: str | None = None
    manufacturer_model: str | None = None
    patient_id: Annotated[str | None, Field(description="The source's own number of the patient")] = None
    issuer_of_patient_id: str | None = None
    patient_name: Annotated[str | None, Field(description="As in the file, its components separated by ^")] = None
    patient_birth_date: str | None = None
    patient_sex: str | None = None
    referring_physician_name: str | None = None
    image_laterality: str | None = None
    rows: int | None = None
    columns: int | None = None
    read_width: Annotated[int | None, Field(description="Pixels of the picture as it was read, before any turn")] = None
    read_height: int | None = None
    grayscale: DicomGrayscale | None = None
    specific_character_set: str | None = None

    @property
    def public(self) -> FilmSource:
        """What an answer may carry: it names studies, not people."""
        return FilmSource(**{name: getattr(self, name) for name in FilmSource.model_fields})
