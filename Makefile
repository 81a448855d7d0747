# What a newcomer needs: make demo, make test. Everything lands in .venv, nothing elsewhere.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
MAVEN  ?= https://repo.maven.apache.org/maven2
VECTORS ?=
SHORT  ?=
SEED   ?=

.DEFAULT_GOAL := help
.PHONY: help environments demo test histories browser crash fuzz lying check fix bench external interop mail-test lock clean

help:
	@echo "make demo              a zorgmelding crosses the hub: four processes on loopback"
	@echo "make demo STAY=1       the same, and leave it running to look around"
	@echo "make demo DB=postgresql the same, on a PostgreSQL of its own"
	@echo "make test              the tests, self-contained"
	@echo "make histories         the random histories of messages and of the gate, all on both databases"
	@echo "make crash             kill -9 at every step, on both databases; SHORT=1: each step once"
	@echo "make fuzz              garbage, and messages changed at every step, coverage-guided; SHORT=1: a minute"
	@echo "make browser           the console in a real Chromium, with axe and a real OpenID provider"
	@echo "make check             formatter, linter, strict types, import rules"
	@echo "make external VECTORS=DIR   tests on third-party schemas, CPAs and messages"
	@echo "make lying             10,000 messages to and from a partner that lies (DB=postgresql)"
	@echo "make interop           against an MSH in Java on Santuario (JDK 17), openssl and gpgsm"
	@echo "make mail-test         e-mail through Postfix, Dovecot, knot and unbound (as root; docs/e-mail.md)"
	@echo "make bench             what a message costs, against the bare cost of its cryptography"

$(VENV)/.run: requirements/run.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.fuzz: requirements/fuzz.txt $(VENV)/.dev
	$(PIP) install --require-hashes -r requirements/fuzz.txt
	@touch $@

.venv-xmlsec/.done: requirements/xmlsec.txt
	$(PYTHON) -m venv .venv-xmlsec
	.venv-xmlsec/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/xmlsec.txt
	@touch $@

.venv-as4/.done: requirements/as4.txt
	$(PYTHON) -m venv .venv-as4
	.venv-as4/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/as4.txt
	@touch $@

environments: $(VENV)/.dev .venv-xmlsec/.done

demo: $(VENV)/$(if $(DB),.dev,.run)
	$(BIN)/gateway demo $(if $(STAY),--stay) $(if $(DB),--$(DB))

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

histories: $(VENV)/.dev
	ALL_HISTORIES=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 tests/pure/test_histories.py tests/gate/test_gate_histories.py tests/store/test_store_histories.py tests/store/test_store_gate_histories.py tests/store/test_store_retention_histories.py tests/flow/test_mailing_histories.py tests/flow/test_every_column.py

crash: $(VENV)/.dev
	$(BIN)/python -m tests.crash $(if $(SHORT),--short) $(if $(SEED),--seed $(SEED))

fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz $(if $(SHORT),--short) $(if $(SEED),--seed $(SEED))

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

tests/oidc/node_modules/.done: tests/oidc/package-lock.json
	npm ci --prefix tests/oidc --ignore-scripts --no-fund --no-audit --silent
	@touch $@

browser: $(VENV)/.dev tests/oidc/node_modules/.done
	$(BIN)/python -m pytest -n 2 --dist worksteal -o asyncio_default_test_loop_scope=session -o asyncio_default_fixture_loop_scope=session tests/browser

bench: $(VENV)/.dev .venv-as4/.done .interop/.done
	$(BIN)/python -m bench

external: $(VENV)/.dev .venv-xmlsec/.done
	@test -n "$(VECTORS)" || { echo "make external VECTORS=DIR: the folder with the third-party data is missing; the README says where to get it" >&2; exit 2; }
	XMLSEC_PYTHON=$(CURDIR)/.venv-xmlsec/bin/python $(BIN)/python -m pytest -n 2 --dist worksteal tests/external --vectors "$(VECTORS)"

lying: $(VENV)/.dev
	$(BIN)/python -m tests.flow.lying $(if $(filter postgresql,$(DB)),--postgresql)

# Each jar by its own SHA-256: what was fetched is what was looked at.
.interop/jars/.done: tests/interop/jars.sha256
	@rm -rf $(@D) && mkdir -p $(@D)
	@while read -r sum path; do \
		curl --fail --silent --show-error --location --retry 3 --output "$(@D)/$${path##*/}" "$(MAVEN)/$$path" && \
		echo "$$sum  $(@D)/$${path##*/}" | sha256sum --check --quiet - || exit 1; \
	done <$<
	@touch $@

.interop/.done: .interop/jars/.done $(wildcard tests/interop/ebms/*.java)
	@rm -rf .interop/classes
	javac -Xlint:all,-classfile -Werror -cp '.interop/jars/*' -d .interop/classes tests/interop/ebms/*.java
	@touch $@

interop: $(VENV)/.dev .interop/.done
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/interop

# In a network and a process space of their own: nothing gets out, and nothing is left running.
mail-test: $(VENV)/.dev
	unshare --net --pid --fork --kill-child --mount-proc $(BIN)/python -m pytest tests/mail

lock: $(VENV)/.dev
	$(PIP) install uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --group build pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 -c requirements/run.txt --group build --group test --group browser --group check pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 -c requirements/dev.txt --group fuzz -o requirements/fuzz.txt
	echo 'as4==0.2.0' | $(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 - -o requirements/as4.txt
	echo 'xmlsec==1.3.17' | $(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 -c requirements/run.txt - -o requirements/xmlsec.txt

clean:
	rm -rf $(VENV) .venv-as4 .venv-xmlsec .interop var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache tests/oidc/node_modules
