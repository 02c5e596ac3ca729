# make test is the one command: it installs what is missing and runs all tests.

FUZZTIME ?= 30s

# No target is a file.
MAKEFLAGS += --always-make

# A process with the race detector sleeps for a second when it has ended, and the
# tests run the command a thousand times.
export GORACE = atexit_sleep_ms=0

build:
	go build -o bin/carnet ./cmd/carnet

# The race detector needs a C compiler, interop Node, the lists and rings on Redis
# a Redis, browser a Chromium; the rest is in go.mod.
tools:
	@.ci/install gcc=gcc node=nodejs npm=npm redis-server=redis-server redis-cli=redis-tools strace=strace chromium=chromium
	@.ci/node

# What the tests print is looked through for keys.
test: tools
	@echo "go test -race ./..."
	@go test -race -v ./... > test.out 2>&1; failed=$$?; grep -E '^(ok|FAIL|panic:)' test.out; \
	if [ $$failed -ne 0 ]; then grep -vE '^(=== |ok|[? ]+.*no test files| *--- PASS)' test.out | tail -n 400; exit 1; fi
	go run ./internal/leaks < test.out
	$(MAKE) interop browser

race: test

# The whole corpus of hostile tokens at every size, with what each costs.
corpus:
	go test -count=1 -timeout 30m -v ./internal/corpus -full

# Tokens to and from other libraries, in a module of its own.
interop: tools
	cd interop && go vet ./... && go test -count=1 ./...

# Sessions in a headless Chromium, and streams that end, in a module of its own.
browser: tools
	cd internal/browser && go vet ./... && go test -race -count=1 ./...

# The same in a process that has approved cryptography only. JWT rings work
# there; the tests of PASETO make sure that it is refused. On one processor: a second
# reader of random bytes at the same moment needs entropy from the jitter of a clock,
# which stands still in a test with a clock of its own.
fips: tools
	GODEBUG=fips140=only go test -cpu 1 ./...

# Redis is killed, cut off, slowed down and emptied behind the denylist, in a module
# of its own: a round of each (five minutes), or (an hour) as many as it takes to be
# sure.
soak-sample: tools
	cd revocation/redislist/soak && go vet ./... && go test -race -timeout 15m ./...

soak: tools
	cd revocation/redislist/soak && go test -race -timeout 120m -v ./... -full

# What is kept in Redis, kept in Valkey.
valkey: tools
	PATH="$$(.ci/valkey):$$PATH" go test -race -count=1 ./internal/redistest ./chimw/... ./keys/redisring ./revocation/redislist

# Each fuzz target in turn, FUZZTIME each.
fuzz:
	@for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

# make test kills and fails the disk at a sample of the system calls, this at all;
# and it has more processes change one ring.
crash: tools
	go test -race -timeout 60m -v -run Survives ./revocation/filelist -every
	go test -timeout 60m -v -run 'Survives|ManyProcesses' ./cmd/carnet -every

# A thousand logouts that meet a response in flight, in memory and on Redis. make
# test has a sample.
inflight: tools
	go test -race -v -run InFlight ./internal/inflight ./revocation/redislist -logouts 1000

# make test rotates by policy for a fortnight of a fake clock, edits a ring in ten
# orders, and has a fleet of processes rotate five times; this for a year, in a hundred
# orders, and a hundred times.
rotation: tools
	go test -timeout 60m -v -run 'RotationByPolicy|AnyOrder|ClockThatIsAhead' ./keys -year
	go test -timeout 60m -v -run 'Fleet' ./keys/redisring -hundred

# carnet beside its peers: writes docs/benchmarks.md and its plots.
bench: tools
	cd bench && go vet ./... && go test -count=1 ./... && go run . -o ../docs

lint: vet staticcheck vulncheck

vet:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	go vet ./...

staticcheck:
	go tool staticcheck ./...

# Asks the Go vulnerability database, so it needs a network.
vulncheck:
	go tool govulncheck ./...
