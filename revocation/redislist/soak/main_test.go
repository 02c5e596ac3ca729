package soak

import (
	"context"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"
)

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	redis.SetLogger(silent{}) // a line for each of thousands of failed dials
	os.Exit(m.Run())
}
