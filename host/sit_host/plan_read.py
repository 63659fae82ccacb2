"""Reading a treatment plan: TOML text -> `Plan`, with every problem as one sentence that names file and line."""

from __future__ import annotations

import difflib
import hashlib
from datetime import date
from pathlib import Path as FilePath
from typing import Any

import tomlkit
import tomlkit.exceptions
from pydantic import ValidationError

from .plan import (
    MAX_POINT_ID,
    MAX_SITES,
    GridEntry,
    Head,
    Plan,
    PlanUnreadable,
    Point,
    PointEntry,
    Problem,
    Product,
    RunEntry,
    Site,
    Table,
    Totals,
)
from .plan_lines import LineIndex, Path

_SECTIONS: dict[str, type[Table]] = {"product": Product, "totals": Totals, "run": RunEntry}
_OPTIONAL = ("run",)
_ARRAYS: dict[str, type[Table]] = {"site": Site, "point": PointEntry, "grid": GridEntry}

# pydantic's error type -> what is wrong and what to do; {key}, {value} and the error's own context may be used
_SENTENCES = {
    "missing": "`{key}` is missing: add it.",
    "literal_error": "`{key}` must be {expected}, not {value}.",
    "string_type": "`{key}` must be text in quotes, not {value}.",
    "string_too_short": "`{key}` is empty: fill it in.",
    "string_too_long": "`{key}` is longer than {max_length} characters: shorten it.",
    "float_type": "`{key}` must be a number without quotes, not {value}.",
    "int_type": "`{key}` must be a whole number without quotes, not {value}.",
    "int_from_float": "`{key}` must be a whole number, not {value}.",
    "bool_type": "`{key}` must be true or false, not {value}.",
    "finite_number": "`{key}` must be an ordinary number, not {value}.",
    "date_type": "`{key}` must be a date like 2027-06-30 without quotes, not {value}.",
    "date_from_datetime_inexact": "`{key}` must be a date without a time, like 2027-06-30.",
    "greater_than": "`{key}` is {value} but must be more than {gt}: correct the amount.",
    "greater_than_equal": "`{key}` is {value} but can't be less than {ge}: correct it.",
    "less_than": "`{key}` is {value} but must be less than {lt}: correct it.",
    "less_than_equal": "`{key}` is {value} but can't be more than {le}: correct it.",
}


def read_plan(file: str | FilePath) -> tuple[Plan | None, list[Problem]]:
    """Read a plan file. Return the plan (None when too much is missing to have one) and every problem found.

    Raises PlanUnreadable when the file can't be opened, isn't UTF-8 or isn't TOML.
    """
    name = str(file)
    try:
        data = FilePath(file).read_bytes()
    except OSError as error:
        raise PlanUnreadable(f"{name}: can't be read ({error.strerror}): check the path.") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PlanUnreadable(f"{name}:{line}: isn't UTF-8 text: save the file as UTF-8.") from None
    return parse_plan(text, name, hashlib.sha256(data).hexdigest())


def parse_plan(text: str, name: str = "plan.toml", sha256: str | None = None) -> tuple[Plan | None, list[Problem]]:
    """As `read_plan`, from text."""
    try:
        document = tomlkit.parse(text).unwrap()
    except tomlkit.exceptions.ParseError as error:
        raise PlanUnreadable(f"{name}:{error.line}: isn't TOML: {_toml_reason(error)}.") from None
    except (tomlkit.exceptions.TOMLKitError, ValueError) as error:
        raise PlanUnreadable(f"{name}:1: isn't TOML: {str(error).rstrip('.')}.") from None
    lines = LineIndex(text)
    problems: list[Problem] = []
    head = _head(document, lines, problems)
    product = _section("product", document, lines, problems)
    totals = _section("totals", document, lines, problems)
    run = _section("run", document, lines, problems)
    sites = _array("site", document, lines, problems)
    entries = _array("point", document, lines, problems)
    grids = _array("grid", document, lines, problems)
    site_names = _site_names(sites, lines, problems)
    _check_sites(document, site_names, lines, problems)
    points = _expand(entries, grids, site_names, lines, problems)
    if not document.get("point") and not document.get("grid"):
        problems.append(Problem(1, "The plan has no points: add [[point]] or [[grid]] tables."))
    if not (isinstance(head, Head) and isinstance(product, Product) and isinstance(totals, Totals) and points):
        return None, sorted(problems)
    plan = Plan(
        file=name,
        sha256=sha256 or hashlib.sha256(text.encode()).hexdigest(),
        head=head,
        product=product,
        totals=totals,
        sites=tuple(_named(site, number) for number, (_, site) in enumerate(sites, start=1)),
        points=tuple(points),
        lines=lines,
        run=run if isinstance(run, RunEntry) else None,
    )
    return plan, sorted(problems)


def _named(site: Table | None, number: int) -> Site:
    """A site that had problems still keeps its number."""
    return site if isinstance(site, Site) else Site(name=f"site {number}")


def _toml_reason(error: tomlkit.exceptions.ParseError) -> str:
    return str(error).split(" at line ")[0].rstrip(".")


def _head(document: dict[str, Any], lines: LineIndex, problems: list[Problem]) -> Table | None:
    """The keys outside tables; unknown tables and keys show here too."""
    known = set(_SECTIONS) | set(_ARRAYS)
    rest = {key: value for key, value in document.items() if key not in known}
    return _validate(Head, rest, (), lines, problems, extra_names=known)


def _section(key: str, document: dict[str, Any], lines: LineIndex, problems: list[Problem]) -> Table | None:
    value = document.get(key)
    if value is None:
        if key not in _OPTIONAL:
            problems.append(Problem(1, f"The table [{key}] is missing: add it (`sit plan new` writes an example)."))
        return None
    if not isinstance(value, dict):
        problems.append(Problem(lines.line((key,)), f"`{key}` must be a table: write it as [{key}]."))
        return None
    return _validate(_SECTIONS[key], value, (key,), lines, problems)


def _array(
    key: str, document: dict[str, Any], lines: LineIndex, problems: list[Problem]
) -> list[tuple[int, Table | None]]:
    """Return (line, entry) for each table of an array; None for one that has problems."""
    value = document.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        problems.append(Problem(lines.line((key,)), f"`{key}` must be an array of tables: write each as [[{key}]]."))
        return []
    return [
        (lines.line((key, index)), _validate(_ARRAYS[key], item, (key, index), lines, problems))
        for index, item in enumerate(value)
    ]


def _validate(
    model: type[Table],
    value: dict[str, Any],
    path: Path,
    lines: LineIndex,
    problems: list[Problem],
    extra_names: set[str] | None = None,
) -> Table | None:
    try:
        return model.model_validate(value)
    except ValidationError as failure:
        for error in failure.errors():
            where = path + tuple(error["loc"])
            problems.append(Problem(lines.line(where), _sentence(error, model, path, extra_names or set())))
        # a stray key is reported but doesn't hide what the rest of the table says
        if all(error["type"] == "extra_forbidden" for error in failure.errors()):
            return model.model_validate({key: item for key, item in value.items() if key in model.model_fields})
        return None


def _sentence(error: Any, model: type[Table], path: Path, extra_names: set[str]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    place = f" in [{path[0]}]" if len(path) == 1 else f" in [[{path[0]}]]" if path else ""
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, [*model.model_fields, *extra_names], n=1, cutoff=0.5)
        if near:
            return f"Unknown key `{key}`{place}: did you mean `{near[0]}`?"
        return f"Unknown key `{key}`{place}: remove it; known are {', '.join(model.model_fields)}."
    if error["type"] == "missing":
        return f"`{key}` is missing{place}: add it."
    template = _SENTENCES.get(error["type"])
    if template is None:
        return f"`{key}`{place} is wrong: {error['msg'].lower()}."
    return template.format(key=key, value=_shown(error["input"]), **error.get("ctx", {}))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, int | float | date):
        return f"{value}"
    return f"a {'list' if isinstance(value, list) else 'table'}"


def _site_names(sites: list[tuple[int, Table | None]], lines: LineIndex, problems: list[Problem]) -> dict[str, int]:
    """Name -> number from 1; a second site of the same name and too many sites are problems."""
    names: dict[str, int] = {}
    for number, (line, site) in enumerate(sites, start=1):
        if not isinstance(site, Site):
            continue
        if site.name in names:
            problems.append(Problem(line, f'Two sites are called "{site.name}": give each its own name.'))
            continue
        names[site.name] = number
    if len(sites) > MAX_SITES:
        problems.append(Problem(lines.line(("site",)), f"There are {len(sites)} sites, at most {MAX_SITES} fit."))
    if not sites:
        problems.append(Problem(1, "The plan names no site: add at least one [[site]] with a name."))
    return names


def _whole(value: float, factor: int) -> int | None:
    """Return value x factor as an integer, None when it isn't whole (to a millionth)."""
    scaled = value * factor
    whole = round(scaled)
    return whole if abs(scaled - whole) < 1e-6 * max(1.0, abs(scaled)) else None


def _expand(
    entries: list[tuple[int, Table | None]],
    grids: list[tuple[int, Table | None]],
    site_names: dict[str, int],
    lines: LineIndex,
    problems: list[Problem],
) -> list[Point]:
    """Turn points and grids into one list in order of id; an id not given follows the highest one above it."""
    points: list[Point] = []
    owner: dict[int, int] = {}
    last_id = 0
    items: list[tuple[int, Path, Table | None]]
    items = [(line, ("point", index), entry) for index, (line, entry) in enumerate(entries)]
    items += [(line, ("grid", index), entry) for index, (line, entry) in enumerate(grids)]
    for line, path, entry in sorted(items, key=lambda item: item[0]):
        if not isinstance(entry, PointEntry | GridEntry):
            continue
        amounts = _amounts(entry, path, lines, problems)
        site = site_names.get(entry.site, 0)
        count = entry.rows * entry.cols if isinstance(entry, GridEntry) else 1
        first = entry.first_id if isinstance(entry, GridEntry) else entry.id
        first = last_id + 1 if first is None else first
        last_id = max(last_id, first + count - 1)
        if last_id > MAX_POINT_ID:
            problems.append(Problem(line, f"Point ids would pass {MAX_POINT_ID}: choose a lower first id."))
            continue
        for offset in range(count):
            point_id = first + offset
            if point_id in owner:
                sentence = f"Point id {point_id} is used twice, first in line {owner[point_id]}: "
                problems.append(Problem(line, sentence + "give each its own."))
                break
            owner[point_id] = line
            if amounts is None:
                continue
            row, col = divmod(offset, entry.cols) if isinstance(entry, GridEntry) else (None, None)
            points.append(Point(point_id, site, *amounts, line, entry.deliberate, row, col))
    return sorted(points, key=lambda point: point.id)


def _check_sites(
    document: dict[str, Any], site_names: dict[str, int], lines: LineIndex, problems: list[Problem]
) -> None:
    """Every point and grid names a site of the plan; asked of the raw tables, so other errors don't hide it."""
    for kind in ("point", "grid"):
        items = document.get(kind, [])
        for index, item in enumerate(items if isinstance(items, list) else []):
            name = item.get("site") if isinstance(item, dict) else None
            if isinstance(name, str) and name.strip() not in site_names:
                problems.append(Problem(lines.line((kind, index, "site")), _unknown_site(name, site_names)))


def _unknown_site(name: str, site_names: dict[str, int]) -> str:
    near = difflib.get_close_matches(name, site_names, n=1, cutoff=0.5)
    hint = f'did you mean "{near[0]}"?' if near else "add a [[site]] with this name."
    return f"Site \"{name}\" isn't one of the plan's sites: {hint}"


def _amounts(
    entry: PointEntry | GridEntry, path: Path, lines: LineIndex, problems: list[Problem]
) -> tuple[int, int] | None:
    """Return (depth_um, volume_nl), or None with a problem when an amount is finer than the device can set."""
    depth_um = _whole(entry.depth_mm, 1000)
    volume_nl = _whole(entry.volume_ul, 1000)
    if depth_um is None:
        sentence = f"`depth_mm` is {entry.depth_mm}, finer than 0.001 mm: round it."
        problems.append(Problem(lines.line((*path, "depth_mm")), sentence))
    if volume_nl is None:
        sentence = f"`volume_ul` is {entry.volume_ul}, finer than 0.001 uL: round it."
        problems.append(Problem(lines.line((*path, "volume_ul")), sentence))
    if depth_um is None or volume_nl is None:
        return None
    return depth_um, volume_nl
