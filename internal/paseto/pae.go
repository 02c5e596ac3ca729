package paseto

import "encoding/binary"

// appendPAE appends the pre-authentication encoding of the pieces to dst: their
// number, then each with its length before it. No two lists of pieces have the
// same one (PASETO, Common Implementation Details).
func appendPAE[T []byte | string](dst []byte, pieces ...T) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(pieces)))
	for _, p := range pieces {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(len(p)))
		dst = append(dst, p...)
	}
	return dst
}
