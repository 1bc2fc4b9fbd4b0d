# Trabecula's commands. `make` alone lists them. On Windows, call `python up.py` instead: every one of them does.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Any Python 3 that starts: up.py looks for a fitting one itself.
PYTHON ?= $(firstword $(shell command -v python3 python) python3)
ARGS ?=

.PHONY: help setup run test test-long test-training test-oip test-containers check bench docs lock sbom saved-models deploy deploy-secrets check-data train-imaging train-staging train-clinical train-joints clinical-figures imaging-figures imaging-gate steadiness clean

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

test-training: ## Run the tests of the training code, with TensorFlow [ARGS=...]
	$(PYTHON) up.py --training pytest tests/training $(ARGS)

test-oip: ## Run the tests against a real server of the Open Inference Protocol, in .venv-oip [ARGS=...]
	$(PYTHON) up.py --setup-only oip
	$(PYTHON) up.py --test tests/oip -m oip $(ARGS)

test-containers: ## Build the images, start the compose file, break it and see it heal; needs Docker [ARGS=...]
	$(PYTHON) up.py --test tests/e2e/containers -m containers $(ARGS)

check: ## Format, lint, types, import rules, dependencies
	$(PYTHON) up.py --check

bench: ## Run the benchmarks [ARGS="speed", "computation", "gateway" or "resilience"]
	$(PYTHON) up.py --bench $(ARGS)

docs: ## Renew the generated pages and build the docs' site in build/docs
	$(PYTHON) up.py --docs

lock: ## Renew requirements/*.txt, keeping the pins that fit [UPGRADE=1 for the newest of all]
	$(PYTHON) up.py --lock $(if $(UPGRADE),--upgrade)

sbom: ## What each container carries, as CycloneDX, in build/sbom
	$(PYTHON) up.py --sbom

saved-models: ## The shipped networks for TensorFlow Serving, in deploy/models/tfserving [VERSION=1]
	$(PYTHON) up.py --training shared.training.saved_model --output deploy/models/tfserving --version $(or $(VERSION),1) \
	  imaging=services/imaging/model/imaging.onnx staging=services/staging/model/staging.onnx \
	  knee_joints=shared/radiograph/model/knee_joints.onnx

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

train-joints: ## Train the joint finder [DATA=DIR LIMIT=n EPOCHS=n]
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

imaging-gate: ## Fit the anatomy head again and judge what the gate refuses: renews network and card [DATA=DIR VERSION=v]
	$(needs-data)
	$(PYTHON) up.py --training services.imaging.training.renew_gate --data "$(DATA)" --version $(or $(VERSION),$(error VERSION is missing: the network changes))

clean: ## Remove the environments and the caches; the state folder stays
	rm -rf .venv .venv-training .venv-oip .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

define needs-data
$(if $(DATA),,$(error DATA is missing: make $@ DATA=the folder that holds the data))
endef

define train
	$(needs-data)
	$(PYTHON) up.py --training $(1) --data "$(DATA)" $(if $(VERSION),--version $(VERSION)) $(if $(LIMIT),--limit $(LIMIT)) \
	  $(if $(EPOCHS),--epochs $(EPOCHS)) $(foreach set,$(EXCLUDE),--exclude $(set)) $(ARGS)
endef
