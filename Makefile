# The short way to everything; CMake does the work.
#   make          build/tern                       make bench    today's speed against the committed baseline
#   make demo     the embedding sweep, as a show   make kernels  times every kernel, in build-bench
#   make test     every test, with a summary       make format   clang-format over the sources
#                                                  make clean    removes the build folders
# All but the last two install what is missing from Debian packages, saying so.
BUILD ?= build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
CMAKE_FLAGS ?=
GENERATOR = $(shell command -v ninja >/dev/null 2>&1 && echo Ninja || echo "Unix Makefiles")

.PHONY: tern demo test bench kernels format clean packages all
.DEFAULT_GOAL := tern

tern: packages $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) --parallel $(JOBS) --target tern

all: packages $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) --parallel $(JOBS)

demo: tern
	@tools/demo.sh $(BUILD)/tern

test: all
	@python3 tools/run_tests.py $(BUILD) --jobs $(JOBS)

bench: tern
	@tools/bench.sh $(BUILD)/tern

kernels: packages
	@cmake -S . -B build-bench -G "$(GENERATOR)" -DCMAKE_BUILD_TYPE=Release -DTERN_BENCH=ON -DTERN_TESTS=OFF $(CMAKE_FLAGS)
	@cmake --build build-bench --parallel $(JOBS)
	@build-bench/bench/tern_bench_kernels

format:
	@clang-format-19 -i $$(git ls-files -co --exclude-standard '*.cpp' '*.hpp')

clean:
	rm -rf $(BUILD) build-*

packages:
	@tools/install_packages.sh

# Configured once; after that CMake notices by itself what has changed. `packages` must come first: it brings CMake.
$(BUILD)/CMakeCache.txt: | packages
	@cmake -S . -B $(BUILD) -G "$(GENERATOR)" -DCMAKE_BUILD_TYPE=Release $(CMAKE_FLAGS)
