package markset

import (
	"slices"
)

// Undo takes a mark back, whatever its end, and every mark of the same value that
// covers no more: those may come late from somebody who hasn't heard of it.
func (s *Set) Undo(e Entry) {
	t := &s.tables[e.Axis]
	v := cut{until: ticks(e.Until), at: e.At}
	first, last := e.ID.words()
	sh := t.shard(last)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if old, ok := sh.void[e.ID]; ok {
		v.until, v.at = max(v.until, old.until), max(v.at, old.at)
	}
	if sh.void == nil {
		sh.void = make(map[ID]cut)
	}
	sh.void[e.ID] = v
	a := sh.array.Load()
	at, ok := a.find(first, last, t.width)
	if !ok {
		return
	}
	cuts := slices.DeleteFunc(slices.Clone(t.cuts(sh, a, at, e.ID)), v.reaches)
	if len(cuts) == 0 {
		cuts = []cut{{at: v.at, stored: true}} // over, and gone with the next sweep
	}
	t.write(sh, a, at, e.ID, cuts)
}

// Lift returns the mark with a later Until if one of its value that covers as much
// was undone: it was set after that.
func (s *Set) Lift(e Entry) Entry {
	t := &s.tables[e.Axis]
	_, last := e.ID.words()
	sh := t.shard(last)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	v, ok := sh.void[e.ID]
	if ok && v.reaches(cut{until: ticks(e.Until), at: e.At}) {
		e.Until = seconds(v.until) + 1
	}
	return e
}
