package redisring

import (
	"errors"
	"net/url"

	"github.com/redis/go-redis/v9"
)

// Open returns the place that a URL names, and a function that closes its client.
// The URL is "redis://user:password@host:port/db?prefix=web", or "rediss://" for
// TLS. Each addr=host:port names a further node of a cluster, or with
// master_name=NAME a further Sentinel; the first is the host of the URL. It talks
// to no server yet. Errors do not quote the URL, which may have a password.
func Open(address string) (s *Store, closeClient func() error, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil, errors.New("redisring: the address is no URL")
	}
	q := u.Query()
	prefix := q.Get("prefix")
	if q.Has("prefix") && prefix == "" {
		return nil, nil, errors.New("redisring: the prefix in the URL is empty: name the ring, as in ?prefix=web")
	}
	if prefix == "" {
		return nil, nil, errors.New("redisring: the URL names no ring: add ?prefix=NAME")
	}
	q.Del("prefix")
	u.RawQuery = q.Encode()
	client, err := dial(u.String(), q)
	if err != nil {
		return nil, nil, errors.New("redisring: the URL is not redis://user:password@host:port/db?prefix=NAME, or has an option that go-redis does not know")
	}
	s, err = New(client, prefix)
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return s, client.Close, nil
}

func dial(address string, q url.Values) (redis.UniversalClient, error) {
	switch {
	case q.Has("master_name"):
		o, err := redis.ParseFailoverURL(address)
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled = true
		return redis.NewFailoverClient(o), nil
	case q.Has("addr"):
		o, err := redis.ParseClusterURL(address)
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled = true
		return redis.NewClusterClient(o), nil
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, err
	}
	o.ContextTimeoutEnabled = true
	return redis.NewClient(o), nil
}
