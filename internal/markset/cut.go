package markset

import "slices"

// maxCuts bounds the moments kept of one value, and with it the time of a check.
const maxCuts = 8

// A cut is one moment of a value. It lies beside the table if there are several,
// or if it spares a session.
type cut struct {
	until  uint32 // ticks
	at     int64
	except ID
	stored bool
}

func (c cut) reaches(o cut) bool { return c.until >= o.until && c.at >= o.at }

func (c cut) same(o cut) bool {
	return c.until == o.until && c.at == o.at && c.except == o.except
}

// merged returns the fewest cuts in force that cover what the given ones and c
// do: exactly that, or more if it would take more than maxCuts. Held reports
// whether stored ones cover all of c.
func merged(cuts []cut, c cut, now uint32) (all []cut, held bool) {
	all = append(all, c)
	for _, o := range cuts {
		switch {
		case !o.inForce(now):
		case o.same(c):
			all[0].stored = c.stored || o.stored
		default:
			all = append(all, o)
		}
	}
	if all[0].stored {
		held = true
	} else {
		kept := slices.DeleteFunc(slices.Clone(all[1:]), func(o cut) bool { return !o.stored })
		held = redundant(append(kept, c), len(kept))
	}
	all = withoutRedundant(all)
	for len(all) > maxCuts {
		all[1] = join(all[0], all[1])
		all = withoutRedundant(all[1:])
	}
	return all, held
}

func withoutRedundant(cuts []cut) []cut {
	for i := 0; i < len(cuts); {
		if redundant(cuts, i) {
			cuts = slices.Delete(cuts, i, i+1)
		} else {
			i++
		}
	}
	return cuts
}

// redundant reports whether the other cuts cover all that cuts[i] does. One that
// reaches as far is enough if it spares nothing more. So are two that spare
// different sessions: each covers the one that the other spares.
func redundant(cuts []cut, i int) bool {
	spared, c := ID{}, cuts[i]
	for k, other := range cuts {
		switch {
		case k == i || !other.reaches(c):
		case other.except == ID{} || other.except == c.except:
			return true
		case spared != ID{} && spared != other.except:
			return true
		default:
			spared = other.except
		}
	}
	return false
}

// join returns a cut that covers at least what a and b do. Nobody else has it.
func join(a, b cut) cut {
	a.at, a.until, a.stored = max(a.at, b.at), max(a.until, b.until), false
	if a.except != b.except {
		a.except = ID{}
	}
	return a
}
