package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var inFamily = regexp.MustCompile(`(?m)^(?:\t|var )(Err\w+) += fmt\.Errorf\("%w[^"]*", (?:token\.)?Err\w+\)`)

// A member of the family that is not in this test might look different to a client.
func TestEachMemberOfTheFamilyIsShownToLookTheSame(t *testing.T) {
	test, err := os.ReadFile("../../chimw/family_test.go")
	if err != nil {
		t.Fatal(err)
	}
	members := 0
	for _, pkg := range []string{"token", "keys", "revocation", "chimw"} {
		files, err := filepath.Glob(filepath.Join("../..", pkg, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range inFamily.FindAllSubmatch(source, -1) {
				members++
				name := pkg + "." + string(m[1])
				if name != "chimw.ErrCrossOrigin" && !strings.Contains(string(test), "{"+name+",") {
					t.Errorf("%s is not in chimw/family_test.go", name)
				}
			}
		}
	}
	if members < 13 {
		t.Errorf("found only %d members", members)
	}
}
