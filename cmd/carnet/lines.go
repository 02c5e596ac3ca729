package main

import (
	"bufio"
	"errors"
	"io"
)

// maxLine is more than any line of a token has, in bytes: the longest token takes
// 10,400 as base64. A line of this length is too large without a look.
const maxLine = 64 << 10

// A lineReader cuts its input at each LF, in bounded memory.
type lineReader struct {
	buf *bufio.Reader
}

// newLineReader returns a reader of lines that are shorter than limit, in bytes
// and without the LF.
func newLineReader(r io.Reader, limit int) *lineReader {
	return &lineReader{bufio.NewReaderSize(r, limit)}
}

// next returns the next line without its LF, valid until the next call. Of a
// line that is too long it returns nothing, but reads it to its end. The last
// line needs no LF. The error is io.EOF after it.
func (l *lineReader) next() (line []byte, tooLong bool, err error) {
	line, err = l.buf.ReadSlice('\n')
	switch {
	case err == nil:
		return line[:len(line)-1], false, nil
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, true, l.skip()
	case errors.Is(err, io.EOF) && len(line) == l.buf.Size():
		return nil, true, nil // as it is if the reader does not tell its end at once
	case errors.Is(err, io.EOF) && len(line) > 0:
		return line, false, nil
	}
	return nil, false, err
}

// skip reads to the end of the line.
func (l *lineReader) skip() error {
	for {
		_, err := l.buf.ReadSlice('\n')
		if err == nil || errors.Is(err, io.EOF) {
			return nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}
