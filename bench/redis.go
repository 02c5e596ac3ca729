package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/redis/go-redis/v9"
)

// startRedis runs a redis-server that keeps nothing on disk.
func startRedis() (rdb *redis.Client, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	dir, err := os.MkdirTemp("", "bench-redis")
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir)
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start redis-server: %w", err)
	}
	rdb = redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port})
	for range 200 {
		if err = rdb.Ping(context.Background()).Err(); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return rdb, func() {
		rdb.Close()
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
	}, err
}
