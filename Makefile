# Trabecula's commands. `make` alone lists them. On Windows, call `python up.py` instead: every one of them does.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Any Python 3 that starts: up.py looks for a fitting one itself.
PYTHON ?= $(firstword $(shell command -v python3 python) python3)
ARGS ?=

.PHONY: help setup run test test-long test-router test-training test-cluster test-oip test-oidc check-interop check-openapi test-containers check bench docs lock audit-packages sbom image-digests image-archive wheelhouse saved-models deploy deploy-secrets check-data train-imaging train-staging train-clinical train-joints clinical-figures imaging-figures imaging-gate imaging-open-gate weights-on-cards compare-models steadiness joint-space-figures clean

help: ## List these commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make the environment in .venv, start nothing
	$(PYTHON) up.py --setup-only

run: ## Set up what is missing and serve [ARGS="--port 8080 --state-dir DIR"]
	$(PYTHON) up.py $(ARGS)

# The whole suite side by side, a file on one processor; what ARGS picks out runs alone, which starts sooner.
test: ## Set up with the test tools and run the tests [ARGS="-k word tests/unit"]
	$(PYTHON) up.py --test $(or $(ARGS),--numprocesses auto --maxprocesses 4 --dist loadfile)

test-long: ## Run what takes minutes: 20,000 answers, services that are killed, a fifth service [ARGS=...]
	$(PYTHON) up.py --test -m long --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

test-router: ## Two hundred films while Orthanc, gateway and router are killed; a study of 3,000 pictures [ARGS=...]
	$(PYTHON) up.py --test -m router $(ARGS)

test-training: ## Run the tests of the training code, with TensorFlow [ARGS=...]
	$(PYTHON) up.py --training pytest tests/training $(ARGS)

test-cluster: ## Run an archive over a Ray cluster of two nodes on this machine, in .venv-cluster [ARGS=...]
	$(PYTHON) up.py --setup-only cluster
	$(PYTHON) up.py --test tests/cluster -m cluster $(ARGS)

test-oip: ## Run the tests against a real server of the Open Inference Protocol, in .venv-oip [ARGS=...]
	$(PYTHON) up.py --setup-only oip
	$(PYTHON) up.py --test tests/oip -m oip $(ARGS)

test-oidc: ## Run the tests against a real provider of OpenID Connect, in .venv-oidc [ARGS=...]
	$(PYTHON) up.py --setup-only oidc
	$(PYTHON) up.py --test tests/oidc -m oidc $(ARGS)

check-interop: ## FHIR by HL7's own schema and two validators of npm, and into a FHIR server of theirs; needs npm [ARGS=...]
	mkdir -p build/interop
	cp tests/interop/package.json tests/interop/package-lock.json build/interop
	npm ci --prefix build/interop --ignore-scripts --no-audit --no-fund --loglevel=error
	$(PYTHON) up.py --test tests/interop -m interop $(ARGS)

check-openapi: ## The OpenAPI document by two linters, and its types by TypeScript, in build/openapi; needs npm
	$(PYTHON) up.py --setup-only test
	.venv/bin/python -m tests.openapi

test-containers: ## Build the images, start the compose file, break it and see it heal; needs Docker [ARGS=...]
	$(PYTHON) up.py --test tests/e2e/containers -m containers $(ARGS)

check: ## Format, lint, types, import rules, dependencies and what is known against them
	$(PYTHON) up.py --check

bench: ## Run the benchmarks [ARGS="speed", "floor", "peers", "growth", "computation", "gateway", "resilience" or "flood"]
	$(PYTHON) up.py --bench $(ARGS)

docs: ## Renew the generated pages and build the docs' site in build/docs
	$(PYTHON) up.py --docs

lock: ## Renew requirements/*.txt, keeping the pins that fit [UPGRADE=1 for the newest of all]
	$(PYTHON) up.py --lock $(if $(UPGRADE),--upgrade)

audit-packages: ## Look the locked packages up in OSV's list of known vulnerabilities [ARGS="--ignore-vuln ID"]
	$(PYTHON) up.py --audit $(ARGS)

sbom: ## What each container carries, as CycloneDX, in build/sbom
	$(PYTHON) up.py --sbom

image-digests: ## Pin the images of others by digest, as the registry has them; needs Docker and the registry
	$(PYTHON) deploy/image_digests.py

saved-models: ## The shipped networks for TensorFlow Serving, in deploy/models/tfserving [VERSION=1]
	$(PYTHON) up.py --training shared.training.saved_model --output deploy/models/tfserving --version $(or $(VERSION),1) \
	  imaging=services/imaging/model/imaging.onnx staging=services/staging/model/staging.onnx \
	  knee_joints=shared/radiograph/model/knee_joints.onnx

image-archive: ## The built images as one file for a machine without internet, build/images.tar.gz; needs Docker
	mkdir -p build
	docker compose --file deploy/docker-compose.yml build
	docker compose --file deploy/docker-compose.yml config --images | sort -u | xargs docker save | gzip > build/images.tar.gz

wheelhouse: setup ## The locked packages as files for a machine without internet, build/wheelhouse
	.venv/bin/python -m pip download --require-hashes --only-binary :all: --requirement requirements/run.txt --dest build/wheelhouse

deploy: deploy-secrets ## Build and start, or upgrade, this clinic's containers; needs Docker
	docker compose --file deploy/docker-compose.yml up --detach --build --wait --wait-timeout 300

deploy-secrets: ## Make the containers' secrets that are missing [RENEW=name for a new one]
	$(PYTHON) deploy/make_secrets.py $(if $(RENEW),--renew $(RENEW))

check-data: ## Is a folder fit to train the three-class network from? [DATA=DIR EXCLUDE=set]
	$(needs-data)
	$(PYTHON) up.py --training services.imaging.training.check --data "$(DATA)" $(foreach set,$(EXCLUDE),--exclude $(set))

train-imaging: ## Train the three-class network [DATA=DIR VERSION=v LIMIT=n EPOCHS=n EXCLUDE=set]
	$(call train,services.imaging.training)

train-staging: ## Train the five-stage network [DATA=DIR VERSION=v LIMIT=n EPOCHS=n EXCLUDE=set]
	$(call train,services.staging.training)

train-clinical: ## Train the clinical risk model [DATA=DIR LIMIT=n EXCLUDE=set]
	$(call train,services.clinical.training)

train-joints: ## Train the joint finder [DATA=DIR LIMIT=n EPOCHS=n EXCLUDE=set]
	$(call train,shared.radiograph.training)

clinical-figures: ## What the categories of the model that ships mean [DATA=DIR ARGS=--write renews card and page]
	$(needs-data)
	$(PYTHON) up.py --training services.clinical.training.figures --data "$(DATA)" $(ARGS)

imaging-figures: ## What a reading adds to the record: renews the card of the network that ships [DATA=DIR]
	$(needs-data)
	$(PYTHON) up.py --training services.imaging.training.renew --data "$(DATA)" $(ARGS)

steadiness: ## From where on readings move when a film is sent smaller, blurred or compressed: renews both pages [DATA=DIR]
	$(needs-data)
	$(PYTHON) up.py --training services.staging.training.steadiness --data "$(DATA)"
	$(PYTHON) up.py --training services.imaging.training.steadiness --data "$(DATA)"

joint-space-figures: ## How well the joint space is measured again, and beside the readers' grades: renews its page [DATA=DIR]
	$(needs-data)
	$(PYTHON) up.py --training services.staging.training.joint_space --data "$(DATA)"

imaging-gate: ## Fit the anatomy head again and judge what the gate refuses: renews network and card [DATA=DIR VERSION=v]
	$(needs-data)
	$(PYTHON) up.py --training services.imaging.training.renew_gate --data "$(DATA)" --version $(or $(VERSION),$(error VERSION is missing: the network changes))

imaging-open-gate: ## A second anatomy head that no research-only picture taught: renews network and card [DATA=DIR VERSION=v]
	$(needs-data)
	$(PYTHON) up.py --training services.imaging.training.open_gate --data "$(DATA)" --version $(or $(VERSION),$(error VERSION is missing: the network changes))

compare-models: ## May package B follow A? Both on the same held-out cases [SERVICE=staging|imaging DATA=DIR A=DIR B=DIR ARGS=--json FILE]
	$(needs-data)
	$(PYTHON) up.py --training services.$(or $(SERVICE),staging).training.compare_models --data "$(DATA)" --a "$(A)" --b "$(B)" $(ARGS)

weights-on-cards: ## Write what the weights may be used for onto the shipped cards and pages
	$(PYTHON) up.py --training shared.training.licences

clean: ## Remove the environments and the caches; the state folder stays
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

define needs-data
$(if $(DATA),,$(error DATA is missing: make $@ DATA=the folder that holds the data))
endef

define train
	$(needs-data)
	$(PYTHON) up.py --training $(1) --data "$(DATA)" $(if $(VERSION),--version $(VERSION)) $(if $(LIMIT),--limit $(LIMIT)) \
	  $(if $(EPOCHS),--epochs $(EPOCHS)) $(foreach set,$(EXCLUDE),--exclude $(set)) $(ARGS)
endef
