// Package redislist is a denylist in Redis that asks nothing of Redis per request.
//
//	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
//	denied := redislist.New(client, "web:")
//	sessions := chimw.New(issuer, chimw.Config{Revocation: denied})
//
// Every node holds all marks in its memory, fed by a log that Redis pushes, and
// knows how old its copy is. [List.Check] looks into the copy.
//
// # Promises
//
// Once [List.Revoke] was called the node that was asked refuses the session,
// whatever Redis does. When it has returned nil:
//
//   - Redis has the mark, and as many replicas as [Config.Replicas] says.
//   - Every node that is connected refuses the session when the log has reached it,
//     which takes a millisecond or a few.
//   - Every node whose copy is of age a, by [List.Age], refuses everything that was
//     acknowledged longer than a ago. A node that may lack something older says so
//     by its age. Nobody compares the clocks of two machines for that.
//   - Redis can't undo it. Every node that holds a mark finds out that Redis has
//     lost it (emptied, restarted without its data, evicted, failed over to a
//     replica that was behind) and writes it back. A mark is lost only if Redis
//     loses it and every node that holds it dies before that.
//
// When it has returned an error that wraps [ErrNotConfirmed], the mark holds on
// this node and is sent until Redis has it; if the process ends before, it is lost
// on the others.
//
// # When a copy is fresh
//
// Records of the log are chained by a hash. A heartbeat, sent 1.25 times a second,
// returns the hash of the last record. If this node has read up to there, it has
// everything that was acknowledged before the heartbeat was sent: that moment, on
// the monotonic clock, less two seconds for a planned failover in which two masters
// take writes, is what the age counts from. An open connection proves nothing and
// counts for nothing. The heartbeat writes, so it fails on a master that was
// demoted or has too few replicas.
//
// After Redis was emptied, and at its start, a copy is complete only when a second and
// a half have passed in which every node has noticed, and no node has marks left
// that the log lacks. A node that starts in the middle of that waits for it.
//
// A stale node refuses what its copy has. Everything else is for the policy of the
// route: see package freshness. [List.Check] itself goes on for a minute
// ([Config.Bound]) and then can't tell, which is a 503 and never a 401.
//
// # What Redis must be
//
// All promises rest on one master taking writes at a time, give or take two
// seconds. Behind Sentinel, where a partition can leave clients on an old master,
// set Replicas to 1, or min-replicas-to-write 1 with min-replicas-max-lag below
// down-after-milliseconds. A Redis Cluster stops its minority by itself.
//
// Set maxmemory-policy to noeviction. Persistence spares the nodes the writing
// back, and is what is left when all nodes are down at once. Keys begin with the
// prefix in braces, as in {web:}revoked:log, so they lie on one node of a cluster.
// Commands used: eval,
// evalsha, xread, xrange, xrevrange, set, wait, and in scripts get, del, pexpire,
// exists, time, hget, hset, hmget, hdel, hgetall, hincrby, xadd, xlen, xtrim.
// docs/revocation.md has the ACL.
//
// A list needs up to ten connections at once when things go wrong, and two when
// they don't. A client that it shares must leave it those.
//
// # Under attack
//
// Who can write to this Redis can revoke any session, undo that as List.Allow does, make
// every copy grow old, or fill it. What he deletes the nodes write back. Who answers in
// Redis's place can keep new marks from a node. So use TLS, a password and an ACL. Who can
// read it learns hashes of session ids and of names that he can guess, and the
// notes that operators wrote.
package redislist
