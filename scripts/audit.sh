#!/usr/bin/env bash
# Known vulnerabilities of what is installed. Needs PyPI's advisories.
set -euo pipefail
cd "$(dirname "$0")/.."
uv run --group dev pip-audit --local --skip-editable
