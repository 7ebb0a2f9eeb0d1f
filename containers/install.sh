#!/bin/sh
# The steps of the Containerfile: install.sh packages VENV EXTRAS, then install.sh pagesight VENV, in the folder of the clone.
# EXTRAS is "http" for the core and the service, from requirements/http.txt, or "all" for torch and every extra.
set -eu
step=$1
venv=$2
case $step in
packages)
    case ${3:-http} in
    http) pins=requirements/http.txt ;;
    all) pins=requirements/all.txt ;;
    *) echo "error: EXTRAS is http or all, not $3" >&2; exit 1 ;;
    esac
    python3 -m venv "$venv"
    # uv takes builds of torch and torchvision that fit; it is pinned too.
    "$venv/bin/python" -m pip install --quiet --no-cache-dir --require-hashes --only-binary :all: -r requirements/uv.txt
    "$venv/bin/uv" pip install --quiet --no-cache --python "$venv/bin/python" --require-hashes -r "$pins"
    ;;
pagesight)
    "$venv/bin/uv" pip install --quiet --no-cache --python "$venv/bin/python" --no-deps --no-build-isolation .
    "$venv/bin/pagesight" --version
    ;;
*)
    echo "error: install.sh packages VENV EXTRAS, or install.sh pagesight VENV" >&2
    exit 1
    ;;
esac
