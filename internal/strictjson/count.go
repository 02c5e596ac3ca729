package strictjson

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxCount is the largest integer that every JSON reader holds exactly.
const maxCount = 1<<53 - 1

// EncodeCount returns nothing for zero, so that a document without a count has not
// a byte more.
func EncodeCount(n int64) jsontext.Value {
	if n == 0 {
		return nil
	}
	return strconv.AppendInt(nil, n, 10)
}

// DecodeCount reads a count of one or more. None is zero.
func DecodeCount(v jsontext.Value) (n int64, ok bool) {
	if v == nil {
		return 0, true
	}
	err := json.Unmarshal(v, &n)
	return n, err == nil && 0 < n && n <= maxCount
}
