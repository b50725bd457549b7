# Recipes for development: `uv run --group dev just` lists them.

run := "uv run --group dev"

default:
    @{{run}} just --list

# Install the project with its development tools.
setup:
    uv sync --group dev

# Run every test, as CI does.
test *args:
    {{run}} pytest {{args}}

# Run the pure and fast tests: no browser, no simulation of a day. Types: `just types`.
test-fast *args:
    {{run}} pytest --no-header -q --durations=5 --deselect tests/project/test_project_rules.py::test_types_are_strict --deselect tests/ingest/timing/test_beat_clock.py::test_a_day_stays_true_to_50_ms --deselect tests/ingest/files/test_import.py::test_the_command_imports_once_and_uploads tests/analytics/hrv/test_correction.py tests/analytics/association/test_slope_posterior.py tests/analytics/test_doctests.py tests/ebbtide tests/ingest/timing tests/ingest/straps tests/ingest/files tests/store/encoding tests/project/test_public_api.py tests/project/test_project_rules.py {{args}}

# Format and lint.
lint:
    {{run}} ruff format .
    {{run}} ruff check .
    {{run}} lint-imports

types:
    {{run}} mypy

# Generate the reference pages and build the site into build/site.
docs:
    {{run}} python scripts/reference.py
    {{run}} mkdocs build --strict

# Extract the texts of the dashboard into the catalogue, and bring the languages' files up to it.
i18n:
    {{run}} pybabel extract -k N_ --no-location --sort-output --omit-header -o ebbtide/i18n/locale/ebbtide.pot ebbtide ingest api dashboard cli
    {{run}} pybabel -q update -D ebbtide -N --ignore-obsolete --ignore-pot-creation-date -i ebbtide/i18n/locale/ebbtide.pot -d ebbtide/i18n/locale

# Take the screenshots of the documentation anew.
screenshots:
    {{run}} python scripts/screenshots.py
    mkdir -p build/screenshots
    EBBTIDE_SCREENSHOTS=build/screenshots {{run}} pytest -n 0 tests/browser/test_roles.py -k accessible
    {{run}} python scripts/screenshots.py --collect build/screenshots

# Run one benchmark, such as `just bench hrv`.
bench name *args:
    {{run}} python benchmarks/{{name}}.py {{args}}

demo *args:
    uv run ebbtide demo {{args}}

# Search for known vulnerabilities in what is installed.
audit:
    uv run --group dev python scripts/audit.py
