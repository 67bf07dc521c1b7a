# `make help` lists what can be made.

.DEFAULT_GOAL := run
.PHONY: run test build bench install uninstall clean help tools libtorch

ARGS   ?=
CUDA   ?= auto
PREFIX ?= ~/.local
# The shell expands `~` in some places and not in others.
override PREFIX := $(patsubst ~/%,$(HOME)/%,$(PREFIX))

ROOT   := $(DESTDIR)$(PREFIX)
LIB    := $(ROOT)/lib/convscope
SHARE  := $(ROOT)/share/convscope
TARGET := $(or $(CARGO_TARGET_DIR),target)
# The same options for every command, so that they share one build of libtorch's bindings.
CARGO  := cargo --locked
BUILD  := --release
# libtorch's threads spin while they wait, and the tests are small and many.
QUIET  := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE

export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin
# cargo gets libtorch as `.libtorch` from .cargo/config.toml. Were one of these in the environment of one
# command and not of the next, each would compile the bindings anew.
unexport LIBTORCH LIBTORCH_USE_PYTORCH LIBTORCH_INCLUDE LIBTORCH_LIB LIBTORCH_STATIC LIBTORCH_CXX11_ABI

run: libtorch
	@$(CARGO) run $(BUILD) -- $(ARGS)

test: libtorch
	@python3 -B scripts/test_libtorch.py
	@$(QUIET) $(CARGO) test $(BUILD) $(ARGS)
	@$(QUIET) CONVSCOPE="$(abspath $(TARGET))/release/convscope" $(CARGO) test $(BUILD) \
	  --manifest-path tests/terminals/Cargo.toml --target-dir "$(TARGET)/terminals"

build: libtorch
	@$(CARGO) build $(BUILD)

bench: build
	@$(QUIET) $(CARGO) bench --bench engine $(ARGS)
	@$(QUIET) $(CARGO) bench --bench explorer $(ARGS)
	@$(QUIET) python3 -B scripts/bench.py
	@$(QUIET) python3 -B scripts/wire.py

# The libraries keep the wheels' layout: they find each other by it.
install: build
	@mkdir -p "$(ROOT)/bin" "$(LIB)/torch" "$(SHARE)"
	@echo "copying libtorch to $(LIB)"
	@to=$$(cd "$(LIB)" && pwd) && cd .libtorch/ && cp -L --parents lib/*.so* "$$to/torch" && cd "$$(pwd -P)/.." && \
	  for file in nvidia/*/lib/*.so* torch.libs/*; do [ ! -e "$$file" ] || cp -L --parents "$$file" "$$to" || exit; done
	@rm -f "$(LIB)/torch/lib/libtorch_python.so"
	@for each in weights demo; do [ ! -d $$each ] || cp -R $$each "$(SHARE)" || exit; done
	@install -m 755 "$(TARGET)/release/convscope" "$(ROOT)/bin"
	@echo "installed $(ROOT)/bin/convscope"

# Only what was installed: $(SHARE) is also where a user's own files may be.
uninstall:
	rm -rf "$(LIB)"
	rm -f "$(ROOT)/bin/convscope"
	@for each in weights demo; do find $$each -type f -exec rm -f "$(SHARE)/{}" ';'; done
	@find "$(SHARE)" -type d -empty -delete

# libtorch stays: it is long to fetch. `rm -rf .libtorch*` removes it.
clean: tools
	@$(CARGO) clean

help:
	@echo 'make [run]      build, and explore the shipped model and photos; ARGS="summary MODEL" for a command'
	@echo 'make test       every test; ARGS="NAME" for some'
	@echo 'make build      target/release/convscope'
	@echo 'make bench      the benchmarks'
	@echo 'make install    into PREFIX=$(PREFIX); `make uninstall` takes it away'
	@echo 'make clean      remove what was built; the fetched libtorch stays'
	@echo
	@echo 'CUDA=1 | 0      build for a GPU, or for the CPU only; without it a GPU is looked for'
	@echo 'LIBTORCH=DIR    use this libtorch 2.9 and fetch none'

need = command -v $(1) > /dev/null || \
  { echo "error: convscope is built with $(1), which is missing: $(2)" >&2; exit 1; }
tools:
	@$(call need,cargo,curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh)
	@$(call need,$${CXX:-c++},sudo apt-get install g++)
	@$(call need,python3,sudo apt-get install python3)

libtorch: tools
	@python3 scripts/libtorch.py --cuda "$(CUDA)" --libtorch "$(LIBTORCH)"
	@if [ -e .libtorch.stale ]; then \
	  for profile in dev release; do [ ! -d "$(TARGET)" ] || \
	    $(CARGO) clean -q --profile $$profile -p torch-sys -p tch -p burn-tch -p convscope || exit; done; \
	  echo "The first build with this libtorch takes 6 to 12 minutes."; rm -f .libtorch.stale; \
	fi
