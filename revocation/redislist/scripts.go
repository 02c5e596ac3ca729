package redislist

import (
	"crypto/fips140"

	"github.com/redis/go-redis/v9"
)

// The scripts are the only writers. What they share: the head h (a hash) has v, the
// version of the protocol; e, the epoch; c, the tip of the chain; m, the entries in
// the log; i, the id of its last record; b, when the epoch began; t, the last
// heartbeat; f and s, by how many milliseconds the fastest clock of a node is ahead of
// the server's, and when that was seen. The log l (a stream) has records of one field, e: entries and the tip
// after them; or g: the epoch that begins. The tip after a record is the start of
// SHA-1(tip | entries): the hash that the server's Lua has. It tells histories
// apart; nobody who can write to Redis is kept out by it.

const tip8 = `
local function tip8(x) local c='' for i=1,15,2 do c=c..string.char(tonumber(string.sub(x,i,i+1),16)) end return c end
local function ms() local t=redis.call('TIME') return string.format('%.0f',t[1]*1000+math.floor(t[2]/1000)) end
`

// add appends records, and begins an epoch if there is none.
// KEYS h l   ARGV epoch-if-none entries record...   -> epoch, tip
var add = newScript(tip8 + `
local h,l=KEYS[1],KEYS[2]
local c=redis.call('HGET',h,'c')
if not c or redis.call('EXISTS',l)==0 then
  redis.call('DEL',h,l)
  c=tip8(redis.sha1hex(ARGV[1]))
  redis.call('HSET',h,'v','1','e',ARGV[1],'c',c,'m','0','b',ms())
  redis.call('HSET',h,'i',redis.call('XADD',l,'*','g',ARGV[1]))
end
if #ARGV>2 then
  local id
  for k=3,#ARGV do
    c=tip8(redis.sha1hex(c..ARGV[k]))
    id=redis.call('XADD',l,'*','e',ARGV[k]..c)
  end
  redis.call('HSET',h,'c',c,'i',id)
  redis.call('HINCRBY',h,'m',ARGV[2])
end
return {redis.call('HGET',h,'e'),c}
`)

// beat tells the state, and writes: so it fails where an acknowledgement would.
// Who still has marks that the log lacks says so, and is counted for five seconds.
// A clock that is ahead of all others is remembered for five minutes: what it dated is
// in the past by then, or the clock is not to be reckoned with.
// KEYS h l w   ARGV node 0|1 node's-clock   -> v e c m b now needy xlen f, or nothing
var beat = newScript(tip8 + `
local h,l,w=KEYS[1],KEYS[2],KEYS[3]
local v=redis.call('HMGET',h,'v','e','c','m','b')
local f=redis.call('HMGET',h,'f','s')
if not v[3] or redis.call('EXISTS',l)==0 then return {} end
local now=ms()
redis.call('HSET',h,'t',now)
if ARGV[2]=='1' then redis.call('HSET',w,ARGV[1],now) else redis.call('HDEL',w,ARGV[1]) end
local needy=redis.call('HGETALL',w)
v[7]=0
for k=1,#needy,2 do
  if math.abs(now-needy[k+1])>5000 then redis.call('HDEL',w,needy[k]) else v[7]=v[7]+1 end
end
v[6]=now; v[8]=redis.call('XLEN',l)
local off=string.format('%.0f',ARGV[3]-now)
v[9]=f[1] or off
if not f[1] or off-f[1]>=0 or math.abs(now-f[2])>300000 then redis.call('HSET',h,'f',off,'s',now); v[9]=off end
return v
`)

// pack puts records at the end of the log and drops those before an id, if the log
// begins with the record that the caller saw.
// KEYS h l   ARGV first first-that-stays more-entries record...   -> 1 or 0
var pack = newScript(tip8 + `
local h,l=KEYS[1],KEYS[2]
local c=redis.call('HGET',h,'c'); local f=redis.call('XRANGE',l,'-','+','COUNT',1)
if not c or #f==0 or f[1][1]~=ARGV[1] then return 0 end
local id
for k=4,#ARGV do
  c=tip8(redis.sha1hex(c..ARGV[k]))
  id=redis.call('XADD',l,'*','e',ARGV[k]..c)
end
if id then redis.call('HSET',h,'c',c,'i',id) end
redis.call('HINCRBY',h,'m',ARGV[3])
redis.call('XTRIM',l,'MINID',ARGV[2])
return 1
`)

// release gives a lease back that the caller still has.
var release = newScript(`
if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end
return 0
`)

// renew prolongs a lease that the caller still has.
var renew = newScript(`
if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('PEXPIRE',KEYS[1],ARGV[2]) end
return 0
`)

// newScript names a script by its SHA-1, as Redis does. A name is no security, so
// FIPS 140 does not forbid it.
func newScript(source string) (s *redis.Script) {
	fips140.WithoutEnforcement(func() { s = redis.NewScript(source) })
	return s
}
