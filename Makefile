# Each target does all set-up by itself: Python 3.11, a C++ compiler and make are enough.
PYTHON ?= python3.11
VENV := .venv
READY := $(VENV)/ready
TYPING := build/typing/recaffe
PIP_INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: setup demo test quick fuzz lint check bench proto clean

setup: $(READY)

demo: $(READY)
	$(VENV)/bin/recaffe demo

test: $(READY)
	$(VENV)/bin/python -m pytest

# What a change of one layer needs, in under a minute: `make quick`, or `make quick LAYER=pooling` for that one's tests.
quick: $(READY)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/recaffe verify golden/fixtures/layers
	$(VENV)/bin/python -m pytest --quiet tests/test_house.py tests/test_contract.py $(if $(LAYER),\
		tests/layers/test_$(LAYER).py tests/layers/test_gradients.py,tests/layers)

# Random nets of every type beside slow readings of their layers: docs/fuzz.md. `make fuzz SEED=17 TYPE=Pooling` repeats one.
MINUTES ?= 2
fuzz: $(READY)
	$(VENV)/bin/python -m tests.fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(FIRST),--first $(FIRST)) \
		$(if $(TYPE),--type $(TYPE))

lint: $(READY)
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

$(READY): constraints.txt pyproject.toml setup.py $(wildcard layers/native/*.cpp layers/native/*.h) | $(TYPING)
	@echo "Setting up $(VENV), once: pinned packages and the native kernels"
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) setuptools
	$(PIP_INSTALL) --no-build-isolation --editable '.[dev]'
	touch $@

# mypy finds modules through folders, not through the import hook of an editable install.
$(TYPING):
	mkdir -p $(@D)
	ln -sfn ../.. $@
