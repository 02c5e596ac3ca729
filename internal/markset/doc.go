// Package markset keeps millions of marks in little memory, and answers whether
// one of them covers a session without a lock, an allocation or a pause.
//
// A mark of a session or a key takes 16 bytes in a slot, one with a moment 24;
// a table is between 65 and 75 % full, so that is 21 to 25 and 32 to 37 bytes.
// Marks that can't be told in one slot (several moments of one value that don't
// cover each other, a session that is spared) take more, beside the table.
//
// # Identity
//
// Values are not kept. An [ID] of 96 bits stands for axis and value. With n marks
// on an axis the chance that a session which nobody took back meets one of them is
// n/2^96: for 10 million marks and a million checks a second, once in 250 million
// years. See [IDOf] for what somebody can do who chooses values.
//
// # Reading while writing
//
// A slot is words that are stored one by one, the one that makes it visible last.
// What changes in a visible slot only ever makes it cover more. A slot is never
// taken again: expired ones go when their shard is built anew beside the old one
// and put in its place by one store. So a reader that comes in between sees the
// marks that were there, and those that are coming or not yet.
package markset
