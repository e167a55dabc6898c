# Sourced by the scripts: finds a Python, makes .venv with what the named requirement files pin.
# Sets $python. Usage: prepare requirements.txt …

root="$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

prepare() {
  local candidate version_check='import sys; sys.exit(sys.version_info < (3, 11))'
  for candidate in python3 python3.11 python3.12 python3.13 python3.14 python; do
    if "$candidate" -c "$version_check" 2>/dev/null; then
      "$candidate" "$root/script/_environment.py" "$root" "$@" || exit 1
      python="$root/.venv/bin/python"
      return
    fi
  done
  echo "QuickCart needs Python 3.11 or newer on the PATH." >&2
  exit 1
}
