# Each target does all set-up by itself: Python 3.11, a C++ compiler and make are enough.
PYTHON ?= python3.11
VENV := .venv
READY := $(VENV)/ready
PIP_INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: setup demo test lint check bench proto clean

setup: $(READY)

demo: $(READY)
	$(VENV)/bin/recaffe demo

test: $(READY)
	$(VENV)/bin/python -m pytest

lint: $(READY) build/typing/recaffe
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

check: lint test

bench: $(READY)
	$(VENV)/bin/recaffe bench

# An old compiler on purpose: what it makes runs on every later protobuf, what a new one makes only on its own.
proto: build/protoc/bin/python
	$< -m grpc_tools.protoc -I. --python_out=. --pyi_out=. prototxt/caffe.proto

build/protoc/bin/python:
	$(PYTHON) -m venv build/protoc
	$@ -m pip install --quiet --disable-pip-version-check grpcio-tools==1.62.3 'setuptools<80'

clean:
	rm -rf build dist recaffe.egg-info $(VENV) layers/native/*.so

$(READY): constraints.txt pyproject.toml setup.py $(wildcard layers/native/*.cpp layers/native/*.h)
	@echo "Setting up $(VENV), once: pinned packages and the native kernels"
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) setuptools
	$(PIP_INSTALL) --no-build-isolation --editable '.[dev]'
	touch $@

# mypy finds modules through folders, not through the import hook of an editable install.
build/typing/recaffe:
	mkdir -p $(@D)
	ln -sfn ../.. $@
