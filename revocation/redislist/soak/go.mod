module github.com/carnet-go/carnet/revocation/redislist/soak

go 1.26.8

replace github.com/carnet-go/carnet => ../../..

require (
	github.com/carnet-go/carnet v0.0.0
	github.com/redis/go-redis/v9 v9.23.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
)
