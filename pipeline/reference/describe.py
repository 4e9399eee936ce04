"""What the service reference is: rows for ``policylake reference``. No I/O but the reference's own tables."""

from datetime import date

import pyarrow as pa

from pipeline.reference import RELATIONS, Reference


def describe(reference: Reference, today: date) -> pa.Table:
    """Return rows (item, value) of text: version, date, age in days, origin, what was replaced, and counts."""
    rows = [
        ("version", reference.version),
        ("data date", reference.data_date.isoformat()),
        ("age in days", str((today - reference.data_date).days)),
        ("origin", reference.origin),
        ("folder", str(reference.folder)),
    ]
    packaged = reference.meta.get("packaged")
    if packaged:
        rows.append(("refreshed services", str(len(reference.meta["services"]))))
        rows.append(("other services from", f"packaged {packaged['version']} of {packaged['data_date']}"))
    counts = {name.removeprefix("reference_").replace("_", " "): reference.table(name).num_rows for name in RELATIONS}
    rows += [(name, str(count)) for name, count in counts.items()]
    return pa.table({"item": [item for item, _ in rows], "value": [value for _, value in rows]})
