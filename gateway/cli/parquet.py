"""A finished table of `run` as Parquet, for whoever reads millions of rows."""

from pathlib import Path

from shared.problems import NotInstalled

FLOATS = ("normal", "osteopenia", "osteoporosis", "probability")
GRADES = ("right_grade", "left_grade", "other_grade")


def require_parquet() -> None:
    """Raise `NotInstalled` where the package is not there: before the work, not after it."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ModuleNotFoundError as error:
        raise NotInstalled("Parquet needs pyarrow: pip install 'trabecula[cluster]', or name a .csv.") from error


def as_parquet(table: Path, parquet: Path, columns: tuple[str, ...]) -> None:
    """Write the CSV once more, some thousand rows at a time; what is empty is null."""
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow.parquet import ParquetWriter

    kinds = {name: pa.float64() if name in FLOATS else pa.int8() if name in GRADES else pa.string() for name in columns}
    reading = csv.ConvertOptions(column_types=kinds, strings_can_be_null=True, quoted_strings_can_be_null=True)
    # A reason or a file's name may hold a line break.
    parsing = csv.ParseOptions(newlines_in_values=True)
    part = parquet.with_name(f"{parquet.name}.part")
    with (
        csv.open_csv(table, parse_options=parsing, convert_options=reading) as rows,
        ParquetWriter(part, rows.schema) as writer,
    ):
        for batch in rows:
            writer.write_batch(batch)
    part.replace(parquet)
