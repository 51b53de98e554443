#!/bin/sh
# Make .venv hold the bot and exactly what a requirements file pins: deploy/venv.sh [requirements.txt]
#
# A stamp inside says what was installed, from where and for which Python. While it holds true nothing is done, not
# even a call of pip, so that a second start costs nothing. An old Python, a moved folder, a changed pin or an
# interrupted installation makes it untrue, and .venv is mended.
set -eu
cd "$(dirname "$0")/.."

requirements=${1:-requirements.txt}
venv=.venv

# The newest features we use came with 3.11. A name may exist and not run (a version manager's shim), so each is tried.
python=
for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if version=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))' 2>/dev/null); then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    echo "Clew needs Python 3.11 or newer, and found none as ${PYTHON:-python3 or python3.11 to python3.14}; install one, or name it: make run PYTHON=/path/to/python3." >&2
    exit 1
fi

# cksum is everywhere; it guards against change, not against anybody.
state_of() { echo "$version $(pwd) $(cat pyproject.toml "$1" | cksum)"; }
works() { "$venv/bin/python" -c '' 2>/dev/null; }

if [ "$(cat "$venv/installed-$requirements" 2>/dev/null)" = "$(state_of "$requirements")" ] && works; then
    exit 0
fi

echo "Installing what $requirements pins into $venv, with Python $version. This takes a minute or two, once." >&2
# The scripts of a virtual environment name its folder, and its packages belong to one Python: neither can be moved.
if [ "$(cat "$venv/made-for" 2>/dev/null)" != "$version $(pwd)" ] || ! works; then
    rm -f "$venv"/installed-* "$venv/made-for"
    if ! "$python" -m venv --clear "$venv"; then
        echo "$python cannot make a virtual environment; on Debian, apt-get install python3-venv brings what it needs." >&2
        exit 1
    fi
    echo "$version $(pwd)" > "$venv/made-for"
fi
rm -f "$venv"/installed-*
pip() { "$venv/bin/python" -m pip -qq --disable-pip-version-check --no-input "$@"; }
pip install --require-hashes --requirement "$requirements"
# The bot itself. What it needs is there by now, its build backend included, so nothing more is fetched.
pip install --no-deps --no-build-isolation --no-index --editable .
# Every file of requirements holds those of requirements.txt too.
for done in requirements.txt "$requirements"; do
    state_of "$done" > "$venv/installed-$done"
done
